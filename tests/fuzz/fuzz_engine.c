/*
 * The engine, driven by a script: each event is two bytes, what happens and how.
 * Its actions are carried out as carpd does, and after every call the engine must
 * be in a state that it can justify (oracle).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine.h"
#include "core/engine_send.h"

#define GROUPS      3
#define NODES       4
#define PARENTS     2
#define VARIANTS    5
#define RELOADS_MAX 8
#define EVENTS_MAX  400
#define RECORDS_MAX 8
#define TURNS_MAX   64

#define require(condition)                                                                                   \
	do {                                                                                                 \
		if (!(condition)) {                                                                          \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);              \
			abort();                                                                             \
		}                                                                                            \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const parent_names[PARENTS] = {"eth0", "eth1"};
static const char *const other_parent_names[PARENTS] = {"eth1", "eth0"};
static const struct node_settings nodes[NODES] = {{1, 0}, {2, 100}, {1, 50}, {7, 0}};
static const struct node_settings slow_nodes[NODES] = {{1, 200}, {2, 0}, {1, 50}, {7, 254}};
static const struct shared_address addresses[] = {
        {{FAMILY_IPV4, {192, 0, 2, 1}}, 24},
        {{FAMILY_IPV4, {192, 0, 2, 9}}, 24},
        {{FAMILY_IPV6, {0xfe, 0x80, [15] = 1}}, 64},
};
static const struct address peers[] = {{FAMILY_IPV4, {192, 0, 2, 3}}, {FAMILY_IPV4, {192, 0, 2, 4}}};
static struct seal_key keys[2];
static struct group_settings groups[VARIANTS][GROUPS];
static struct engine_settings variants[VARIANTS];
static const struct mac some_mac = {{2, 0, 0, 0, 0, 1}};

struct record {
	uint8_t bytes[PACKET_FRAME_MAX];
	size_t length; /* without the Ethernet header */
	size_t parent;
	bool multicast;
};

struct world {
	struct engine *engine;
	struct engine *twin; /* a mould for adverts of peers */
	void *blocks[2 * RELOADS_MAX + 2];
	size_t block_count;
	size_t variant;
	instant now;
	bool send_fails, take_fails, routes_late;
	instant heard_reign[NODES]; /* the last in which an advert has left */
	bool gate_open[NODES];
	bool taken[GROUPS];
	struct record records[RECORDS_MAX];
	size_t record_next;
};

/*
 * Variant 1: another passphrase and key.  2: other addresses and terms, fast.  3: other seals.
 * 4: "lan" is gone, and interfaces, groups and demotion groups have other numbers.
 */
static void prepare_variant(size_t variant)
{
	struct group_settings *list = groups[variant];
	const struct node_settings *node = variant == 2 ? slow_nodes : nodes;
	size_t dropped = variant == 2 ? 1 : 0;

	list[0] = (struct group_settings){.name = "wan", .nodes = node, .node_count = 2, .advbase = 1};
	list[1] = (struct group_settings){.name = "lan",
	                                  .parent = 1,
	                                  .nodes = node + 2,
	                                  .node_count = 1,
	                                  .advbase = 1,
	                                  .preempt = true};
	list[2] = (struct group_settings){
	        .name = "far", .nodes = node + 3, .node_count = 1, .peers = peers, .peer_count = 2};
	for (size_t i = 0; i < GROUPS; i++) {
		list[i].addresses = addresses + dropped;
		list[i].address_count = 3 - dropped;
		list[i].demotion_scope = (int)i;
		list[i].ttl_check = i != 2;
		list[i].preempt_delay_ns = variant == 3 ? 5 * NS_PER_S : 0;
		list[i].passphrase = (struct passphrase){.bytes = "carp", .length = variant == 1 ? 3 : 4};
		list[i].seal = (enum seal_policy)((i + variant) % 3);
		list[i].mark_key = keys[variant == 1];
		list[i].seal_keys = keys + (variant == 1);
		list[i].seal_key_count = variant == 1 ? 1 : 2;
		list[i].seal_window_ns = 60 * NS_PER_S;
	}
	if (variant == 2)
		list[0].advbase = 0;
	if (variant == 4) {
		list[1] = list[0];
		list[0] = list[2];
		list[0].parent = list[1].parent = 1;
		list[0].demotion_scope = list[1].demotion_scope = 0;
	}
	variants[variant] = (struct engine_settings){
	        .groups = list,
	        .group_count = variant == 4 ? 2 : GROUPS,
	        .node_count = variant == 4 ? 3 : NODES,
	        .parent_names = variant == 4 ? other_parent_names : parent_names,
	        .parent_count = PARENTS,
	        .handover_wait_ns = NS_PER_S,
	        .grace_ns = 10 * NS_PER_S,
	        .seed = 1,
	        .start = {NS_PER_S},
	};
}

static struct engine *place(struct world *world, const struct engine_settings *settings)
{
	void *block = calloc(1, engine_bytes(settings));

	require(block != NULL);
	world->blocks[world->block_count++] = block;
	return engine_place(block, settings);
}

static struct parent parent_state(uint8_t host, bool up)
{
	return (struct parent){
	        .up = up,
	        .mac = some_mac,
	        .source_ipv4 = {FAMILY_IPV4, {192, 0, 2, host}},
	        .source_ipv6 = {FAMILY_IPV6, {0xfe, 0x80, [15] = host}},
	};
}

/* Two engines of one seed would draw the same counters and the same id. */
static void place_twin(struct world *world)
{
	static struct engine_settings settings;

	settings = variants[world->variant];
	settings.seed = 2;
	world->twin = place(world, &settings);
}

struct before {
	instant lease_end, since;
	bool expired;
};

static void look(const struct world *world, struct before before[NODES])
{
	for (size_t i = 0; i < world->engine->settings->node_count; i++) {
		const struct vhost *vhost = &world->engine->nodes[i].vhost;
		before[i].lease_end = vhost->lease_end;
		before[i].since = vhost->last.at;
		before[i].expired = vhost->state == VHOST_MASTER && vhost->lease_end.ns != 0 &&
		                    instant_reached(vhost->lease_end, world->now);
	}
}

static void check_nodes(const struct world *world, const struct before before[NODES])
{
	const struct engine *engine = world->engine;

	for (size_t i = 0; i < engine->settings->node_count; i++) {
		const struct vhost *vhost = &engine->nodes[i].vhost;
		if (vhost->state != VHOST_INIT) {
			require(!instant_is_never(vhost_deadline(vhost)));
			require(!instant_is_never(engine_deadline(engine)));
		}
		require(!instant_before(vhost_deadline(vhost), engine_deadline(engine)));
		if (before[i].expired && vhost->state == VHOST_MASTER &&
		    before[i].since.ns == vhost->last.at.ns)
			require(!instant_before(before[i].lease_end, vhost->lease_end));
	}
}

static void check_groups(const struct engine *engine)
{
	for (size_t i = 0; i < engine->settings->group_count; i++) {
		const struct group *group = &engine->groups[i];
		size_t masters = 0;
		for (size_t n = 0; n < group->node_count; n++) {
			const struct vhost *vhost = &group->nodes[n].vhost;
			masters += vhost->state == VHOST_MASTER;
			require(!group->stopped || vhost->state == VHOST_INIT || vhost->handover.active);
			require(group->stopped || vhost->state == VHOST_INIT ||
			        engine->parents[group->settings->parent].parent.up);
		}
		require(masters == group->masters);
	}
}

/* A scope is one that a group has, and each group has the sum of those that are its. */
static void check_demotions(const struct engine *engine)
{
	for (size_t i = 0; i < DEMOTIONS_MAX; i++) {
		const struct demotion *reason = &engine->demotions.reasons[i];
		bool known = reason->name[0] == '\0' || reason->scope == DEMOTION_EVERYWHERE;
		for (size_t g = 0; g < engine->settings->group_count; g++)
			known |= reason->scope == engine->settings->groups[g].demotion_scope;
		require(known);
	}
	for (size_t i = 0; i < engine->settings->group_count; i++)
		require(engine->groups[i].demotion ==
		        demotion_sum(&engine->demotions, engine->settings->groups[i].demotion_scope));
}

static void check(const struct world *world, const struct before before[NODES])
{
	require(world->engine->action_count <= world->engine->action_capacity);
	check_nodes(world, before);
	check_groups(world->engine);
	check_demotions(world->engine);
}

static void send_advert(struct world *world, struct node *node)
{
	struct engine *engine = world->engine;
	struct before before[NODES] = {0};
	struct advert_out out;
	int errors[2];
	size_t copies = 0;

	look(world, before);
	if (vhost_lease_expired(engine, &node->vhost, world->now)) {
		check(world, before);
		return;
	}
	instant *heard_reign = &world->heard_reign[node - engine->nodes];
	bool unheard = node->vhost.state == VHOST_MASTER && heard_reign->ns != node->vhost.last.at.ns;

	for (; engine_advert_frame(engine, node, copies, world->now, &out); copies++) {
		require(out.length <= PACKET_FRAME_MAX && copies < 2);
		require(!unheard || node->advert.advbase != ADVERT_GONE);
		require(node->vhost.state != VHOST_MASTER || vhost_speaks(&node->vhost));
		errors[copies] = world->send_fails ? ENOBUFS : 0;
	}
	if (unheard && copies > 0 && !world->send_fails)
		*heard_reign = node->vhost.last.at;
	engine_sent(engine, node, world->now, errors, copies);
	check(world, before);
}

static void perform(struct world *world, const struct action *action)
{
	struct engine *engine = world->engine;
	struct before before[NODES] = {0};
	size_t node = action->node == NULL ? 0 : (size_t)(action->node - engine->nodes);
	size_t group = action->group == NULL ? 0 : (size_t)(action->group - engine->groups);
	bool speaks = action->node != NULL && vhost_speaks(&action->node->vhost);

	look(world, before);
	switch (action->kind) {
	case ACTION_SHUT:
		world->gate_open[node] = false;
		break;
	case ACTION_DROP:
		world->taken[group] = false;
		break;
	case ACTION_TAKE:
		world->taken[group] = true;
		if (world->take_fails)
			engine_take_failed(engine, action->group, ENOSPC, world->now);
		break;
	case ACTION_ADVERTISE:
		if (speaks)
			send_advert(world, action->node);
		break;
	case ACTION_GOODBYE:
		send_advert(world, action->node);
		break;
	case ACTION_SERVE:
		if (speaks)
			world->gate_open[node] = true;
		break;
	case ACTION_PROBE:
		engine_probed(engine, action->node, &(int){world->send_fails ? ENOBUFS : 0}, 1, world->now);
		break;
	case ACTION_ANNOUNCE:
	case ACTION_TELL:
		break;
	}
	check(world, before);
}

static void perform_turns(struct world *world)
{
	static struct action todo[1024];
	struct engine *engine = world->engine;

	for (int turn = 0; engine->action_count > 0; turn++) {
		size_t count = engine->action_count;
		require(turn < TURNS_MAX && count <= sizeof(todo) / sizeof(todo[0]));
		memcpy(todo, engine->actions, count * sizeof(todo[0]));
		engine_clear_actions(engine);
		for (size_t i = 0; i < count; i++)
			perform(world, &todo[i]);
	}
}

static void route(struct world *world)
{
	struct before before[NODES] = {0};

	look(world, before);
	for (size_t i = 0; i < world->engine->settings->group_count; i++) {
		struct group *group = &world->engine->groups[i];
		if (engine_is_taking(group))
			engine_taken(world->engine, group, world->now);
		require(!engine_is_taking(group));
	}
	check(world, before);
}

/* Until nothing is left to do, which must not take for ever. */
static void perform_all(struct world *world)
{
	struct engine *engine = world->engine;

	perform_turns(world);
	if (!world->routes_late) {
		route(world);
		perform_turns(world);
	}
	for (size_t i = 0; i < engine->settings->node_count; i++)
		require(!world->gate_open[i] || engine->nodes[i].vhost.state == VHOST_MASTER);
	for (size_t i = 0; i < engine->settings->group_count; i++)
		require(world->taken[i] == (engine->groups[i].masters > 0));
}

static void tick(struct world *world)
{
	struct before before[NODES] = {0};

	for (int i = 0; instant_reached(engine_deadline(world->engine), world->now); i++) {
		require(i < TURNS_MAX); /* else the daemon would spin */
		look(world, before);
		engine_tick(world->engine, world->now);
		check(world, before);
		perform_all(world);
	}
}

/* how: a short time, a pause of the whole host, or up to the next deadline. */
static void pass_time(struct world *world, uint8_t how)
{
	if (how < 128)
		world->now = instant_after(world->now, how * 7 * NS_PER_MS + 1);
	else if (how < 192)
		world->now = instant_after(world->now, (how - 127) * NS_PER_S);
	else if (!instant_is_never(engine_deadline(world->engine)) &&
	         instant_before(world->now, engine_deadline(world->engine)))
		world->now = instant_after(engine_deadline(world->engine), how & 3);
	if (how != 128) /* a pause that nobody has noticed yet */
		tick(world);
}

static void receive(struct world *world, const struct record *record)
{
	struct before before[NODES] = {0};
	/* On the heap, so that a read past the end is found. */
	uint8_t *copy = malloc(record->length + 1);

	require(copy != NULL);
	memcpy(copy + 1, record->bytes + ETHERNET_BYTES, record->length);
	look(world, before);
	(void)engine_receive(world->engine, record->parent, copy + 1, record->length, record->multicast,
	                     world->now);
	free(copy);
	check(world, before);
	perform_all(world);
}

/* what: which node, family, terms and kind of a peer's advert. */
static void hear_peer(struct world *world, uint8_t what, uint8_t terms)
{
	struct engine *twin = world->twin;
	struct node *node = &twin->nodes[what % twin->settings->node_count];
	size_t group = (size_t)(node->vhost.group - twin->groups);
	struct record *record = &world->records[world->record_next++ % RECORDS_MAX];
	const struct address *destination = (what & 4) != 0 ? &carp_group_ipv6 : &carp_group_ipv4;
	struct parent parent = parent_state((what & 8) != 0 ? 3 : 1, true);
	struct advert_out out;
	struct packet packet;

	for (size_t i = 0; i < PARENTS; i++)
		twin->parents[i].parent = parent;
	twin->wall_offset_ns = world->engine->wall_offset_ns;
	node->vhost.state = VHOST_MASTER;
	engine_prepare_advert(twin, node, false);
	node->advert.advskew = terms;
	node->advert.advbase = terms == ADVERT_GONE ? ADVERT_GONE : groups[world->variant][group].advbase;
	node->advert.demote = (what & 16) != 0 ? terms : 0;
	if ((what & 32) != 0)
		node->advert.digest[0] ^= 1;
	if (!engine_advert_frame(twin, node, (what & 4) != 0, world->now, &out))
		return;
	packet = (struct packet){.payload = out.bytes, .payload_bytes = out.length};
	if (out.peer.family == FAMILY_NONE)
		require(packet_parse(out.bytes + ETHERNET_BYTES, out.length - ETHERNET_BYTES, &packet) ==
		        DROP_NONE);
	if (out.source.family != destination->family)
		destination = &carp_group_ipv4;
	record->parent = groups[world->variant][group].parent;
	record->multicast = groups[world->variant][group].peer_count == 0;
	/* Bit 6: its seal, if it has one, is cut off. */
	record->length = packet_build(&some_mac, &some_mac, &out.source, destination, packet.payload,
	                              (what & 64) != 0 ? ADVERT_BYTES : packet.payload_bytes, record->bytes) -
	                 ETHERNET_BYTES;
	receive(world, record);
}

/* Plays back what was heard, as it was or with a header field changed. */
static void hear_record(struct world *world, uint8_t how)
{
	struct record record = world->records[how % RECORDS_MAX];
	size_t at = ETHERNET_BYTES + record.length;

	if (record.length == 0)
		return;
	if (how >= 128)
		record.bytes[at - 1 - (how >> 1) % record.length] ^= how;
	receive(world, &record);
}

static void change_link(struct world *world, uint8_t how)
{
	struct parent parent = parent_state(2, (how & 2) != 0);
	struct before before[NODES] = {0};

	if ((how & 4) != 0)
		parent.source_ipv4.family = FAMILY_NONE;
	if ((how & 8) != 0)
		parent.source_ipv6.family = FAMILY_NONE;
	look(world, before);
	engine_parent_changed(world->engine, how % PARENTS, &parent, world->now);
	check(world, before);
	perform_all(world);
}

static void change_demotion(struct world *world, uint8_t how)
{
	struct before before[NODES] = {0};
	char name[16];

	snprintf(name, sizeof(name), "reason %d", how % 80);
	look(world, before);
	if (how < 160)
		(void)engine_demote(world->engine, name, how + 1, world->now,
		                    how < 80 ? INSTANT_NEVER : instant_after(world->now, how * NS_PER_MS));
	else
		(void)engine_undemote(world->engine, name, world->now);
	check(world, before);
	perform_all(world);
}

static void leave(struct world *world, uint8_t how)
{
	struct group *group =
	        how % 4 < world->engine->settings->group_count ? &world->engine->groups[how % 4] : NULL;
	struct before before[NODES] = {0};

	look(world, before);
	if (how < 192)
		engine_hand_over(world->engine, group, world->now);
	else
		engine_stop(world->engine, group, world->now);
	check(world, before);
	perform_all(world);
}

static void lose_address(struct world *world, uint8_t how)
{
	struct before before[NODES] = {0};

	look(world, before);
	engine_address_lost(world->engine, how % PARENTS, &addresses[how % 3].address, world->now);
	check(world, before);
	perform_all(world);
}

static void expire_leases(struct world *world)
{
	struct before before[NODES] = {0};

	look(world, before);
	engine_expire_leases(world->engine, world->now);
	check(world, before);
	perform_all(world);
}

/* Groups that are not in the next configuration leave first; true if they all have. */
static bool have_left(struct world *world, const struct engine *next)
{
	bool left = true;

	for (size_t i = 0; i < world->engine->settings->group_count; i++) {
		struct group *group = &world->engine->groups[i];
		if (engine_counterpart(next, world->engine, group) != NULL)
			continue;
		engine_stop(world->engine, group, world->now);
		perform_all(world);
		left &= engine_stopped(world->engine, group);
	}
	return left;
}

/* What is known of groups and nodes goes with them, whatever their numbers are now. */
static void follow(struct world *world, const struct engine *old, struct before before[NODES])
{
	const struct world was = *world;
	struct before were[NODES] = {0};

	memset(world->gate_open, 0, sizeof(world->gate_open));
	memset(world->taken, 0, sizeof(world->taken));
	memset(world->heard_reign, 0, sizeof(world->heard_reign));
	for (size_t i = 0; i < old->settings->group_count; i++) {
		const struct group *from = &old->groups[i];
		const struct group *to = engine_counterpart(world->engine, old, from);
		if (to == NULL)
			continue;
		world->taken[to - world->engine->groups] = was.taken[i];
		for (size_t n = 0; n < to->node_count; n++) {
			size_t there = (size_t)(&to->nodes[n] - world->engine->nodes);
			size_t here = (size_t)(&from->nodes[n] - old->nodes);
			world->gate_open[there] = was.gate_open[here];
			world->heard_reign[there] = was.heard_reign[here];
			were[there] = before[here];
		}
	}
	memcpy(before, were, sizeof(were));
}

/* What was true of a node must still be. */
static void reload(struct world *world, uint8_t how)
{
	struct engine *old = world->engine, *next;
	struct before before[NODES] = {0};

	if (world->block_count + 2 > sizeof(world->blocks) / sizeof(world->blocks[0]))
		return;
	next = place(world, &variants[how % VARIANTS]);
	if (!have_left(world, next))
		return;
	look(world, before);
	world->variant = how % VARIANTS;
	world->engine = next;
	engine_adopt(next, old, world->now);
	follow(world, old, before);
	check(world, before);
	perform_all(world);
	place_twin(world);
}

static void happen(struct world *world, uint8_t what, uint8_t how)
{
	if (what < 128) {
		hear_peer(world, what, how);
		return;
	}
	switch (what % 10) {
	case 0:
		change_link(world, how);
		break;
	case 1:
		change_demotion(world, how);
		break;
	case 2:
		leave(world, how);
		break;
	case 3:
		world->send_fails = how & 1;
		world->take_fails = how & 2;
		world->routes_late = how & 4;
		break;
	case 4:
		reload(world, how);
		break;
	case 5:
		hear_record(world, how);
		break;
	case 6:
		lose_address(world, how);
		break;
	case 7:
		expire_leases(world);
		break;
	case 8:
		route(world);
		perform_turns(world);
		break;
	default:
		pass_time(world, how);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = {.now = {NS_PER_S}};

	if (keys[0].id == 0) {
		seal_key_derive(&keys[0], 1, (const uint8_t *)"one", 3);
		seal_key_derive(&keys[1], 2, (const uint8_t *)"two", 3);
		for (size_t i = 0; i < VARIANTS; i++)
			prepare_variant(i);
	}
	if (size == 0)
		return 0;
	world.variant = data[0] % VARIANTS;
	world.engine = place(&world, &variants[world.variant]);
	world.engine->wall_offset_ns = INT64_C(1700000000) * NS_PER_S;
	place_twin(&world);
	for (size_t i = 0; i < PARENTS; i++)
		change_link(&world, (uint8_t)(2 + i));
	for (size_t i = 1; i + 1 < size && i < EVENTS_MAX; i += 2)
		happen(&world, data[i], data[i + 1]);
	for (size_t i = 0; i < world.block_count; i++)
		free(world.blocks[i]);
	return 0;
}
