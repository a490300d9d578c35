#include "perform.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/announce.h"
#include "linux/forwarding.h"
#include "linux/peer.h"
#include "carpd/log/log.h"
#include "observe.h"
#include "refusal.h"
#include "routed.h"

static struct interface *interface_of(struct daemon *daemon, const struct group *group)
{
	return &daemon->interfaces.list[group->settings->parent];
}

/* It may have left since this was decided, and even begun another reign. */
static bool speaks(const struct action *action)
{
	return vhost_speaks(&action->node->vhost);
}

/* Shutting and opening are stores; the address may come and go behind a shut gate. */
static void set_gate(struct daemon *daemon, const struct action *action, bool open)
{
	struct interface *interface = interface_of(daemon, action->group);
	const struct vhost *vhost = &action->node->vhost;

	if (interface->gate_port < 0 || !action->group->virtual_mac)
		return;
	if (open && vhost->lease_end.ns != 0)
		gate_open(daemon->gate, interface->gate_port, vhost->vhid, vhost->lease_end);
	else if (!open)
		gate_close(daemon->gate, interface->gate_port, vhost->vhid);
}

/*
 * When a successor is heard, frames that the switch had sent here before may still
 * wait in this host's queues.  Without this pause one hand-over in eighty, on a busy
 * machine, lost up to a millisecond of them.
 */
#define PASS_NS NS_PER_MS

static bool let_pass(struct daemon *daemon, const struct action *action)
{
	const struct interface *interface = interface_of(daemon, action->group);
	const struct vhost *vhost = &action->node->vhost;

	if (!vhost->passed_on || interface->gate_port < 0 || !action->group->virtual_mac)
		return false;
	gate_pass(daemon->gate, interface->gate_port, vhost->vhid,
	          instant_after(daemon_read_clock(daemon), PASS_NS));
	return true;
}

/* One wait for all groups of the turn, in which the kernel gets the processor as well. */
static void shut_gates(struct daemon *daemon, size_t count)
{
	const struct timespec pause = {.tv_nsec = PASS_NS};
	bool passing = false;

	for (size_t i = 0; i < count; i++)
		if (daemon->todo[i].kind == ACTION_SHUT && !let_pass(daemon, &daemon->todo[i]))
			set_gate(daemon, &daemon->todo[i], false);
		else if (daemon->todo[i].kind == ACTION_SHUT)
			passing = true;
	if (!passing)
		return;
	nanosleep(&pause, NULL);
	for (size_t i = 0; i < count; i++)
		if (daemon->todo[i].kind == ACTION_SHUT)
			set_gate(daemon, &daemon->todo[i], false);
}

/* What the answers to a batch have said about the groups in it. */
struct batch {
	struct daemon *daemon;
	size_t requests;
	bool leaving;       /* nothing on the interface is needed any more */
	bool after_refusal; /* a success is news */
};

/* The group that shares what tag points into, or is tag. */
static struct group *find_group(const struct engine *engine, const void *tag, size_t *ret_offset)
{
	for (size_t i = 0; i < engine->settings->group_count; i++) {
		struct group *group = &engine->groups[i];
		const struct group_settings *settings = group->settings;
		*ret_offset = (uintptr_t)tag - (uintptr_t)settings->addresses;
		if (group == tag || *ret_offset < settings->address_count * sizeof(settings->addresses[0]))
			return group;
	}
	return NULL;
}

static void note_result(void *context, void *tag, int error, const char *text)
{
	struct batch *batch = context;
	struct daemon *daemon = batch->daemon;

	if (error == 0 && !batch->after_refusal)
		return;
	size_t offset;
	struct group *group = find_group(daemon->engine, tag, &offset);
	if (group != NULL && tag != group) {
		const struct shared_address *shared =
		        &group->settings->addresses[offset / sizeof(struct shared_address)];
		/* That its route is there says nothing of the address. */
		if (error != 0 || tag == shared)
			refusal_note(daemon, interface_of(daemon, group), &shared->address, -error, text);
		return;
	}
	if (error == 0)
		return;
	if (group == NULL) {
		log_warning("the kernel refused to give something back: %s%s%s", strerror(-error),
		            text[0] != '\0' ? ": " : "", text);
		return;
	}
	if (group->masters == 0)
		return; /* told already */
	log_error("group %s: the kernel refused its MAC: %s%s%s", group->settings->name, strerror(-error),
	          text[0] != '\0' ? ": " : "", text);
	engine_take_failed(daemon->engine, group, -error, daemon->now);
}

/* What comes back with the answer, and nobody writes to: an address, or of its route the prefix length. */
static void *tag_of(const void *what)
{
	void *tag;

	memcpy(&tag, &what, sizeof(tag));
	return tag;
}

static void take_address(struct batch *batch, struct interface *interface,
                         const struct shared_address *shared)
{
	struct daemon *daemon = batch->daemon;
	const struct runtime *runtime = daemon->runtime;
	struct rtnl_address_flags flags = {.scope_host = interface_has_own_ipv4(interface, runtime)};

	if (refusal_stands(daemon, interface, &shared->address))
		return;
	batch->after_refusal |= interface->refusal_count > 0;
	rtnl_take_address(daemon->rtnl, interface->link.index, &shared->address, flags, tag_of(shared));
	if (interface_lacks_route(interface, runtime, shared))
		rtnl_add_route(daemon->rtnl, interface->link.index, shared, tag_of(&shared->prefix_length));
	batch->requests++;
}

/* Taking left it as it was, and so must dropping. */
static bool is_in_our_place(const struct interface *interface, const struct address *address)
{
	const struct rtnl_address *stranger = interface_stranger(interface, address);

	return stranger != NULL && stranger->address.prefix_length == 8 * address_bytes(address);
}

static void drop_address(struct batch *batch, struct interface *interface,
                         const struct shared_address *shared)
{
	struct daemon *daemon = batch->daemon;

	/* The route goes first: without its address the kernel could not tell it from the host's. */
	if (batch->leaving || !interface_lacks_route(interface, daemon->runtime, shared))
		rtnl_remove_route(daemon->rtnl, interface->link.index, shared, NULL);
	if (!is_in_our_place(interface, &shared->address))
		rtnl_drop_address(daemon->rtnl, interface->link.index, &shared->address, NULL);
	batch->requests++;
}

/* A bridge learns the virtual MAC with the addresses, and forgets it with them or when a reload changes it.
 */
static void tell_bridge(struct batch *batch, struct interface *interface, struct group *group, bool take)
{
	if (interface->link.kind != LINK_BRIDGE)
		return;
	for (size_t i = 0; i < group->node_count; i++) {
		struct mac mac = mac_virtual(group->nodes[i].vhost.vhid);
		if (take && group->virtual_mac)
			rtnl_learn_mac(batch->daemon->rtnl, interface->link.index, &mac, group);
		else
			rtnl_forget_mac(batch->daemon->rtnl, interface->link.index, &mac, NULL);
		batch->requests++;
	}
}

static void move_addresses(struct batch *batch, const struct action *action)
{
	struct interface *interface = interface_of(batch->daemon, action->group);
	const struct group_settings *settings = action->group->settings;
	bool take = action->kind == ACTION_TAKE;

	if (interface->link.index == 0)
		return; /* it took its addresses with it */
	tell_bridge(batch, interface, action->group, take);
	for (size_t i = 0; i < settings->address_count; i++)
		if (take)
			take_address(batch, interface, &settings->addresses[i]);
		else
			drop_address(batch, interface, &settings->addresses[i]);
}

static void send_requests(struct batch *batch)
{
	int error = rtnl_commit(batch->daemon->rtnl, note_result, batch);

	if (error < 0)
		log_error("rtnetlink does not answer: %s", strerror(-error));
	batch->requests = 0;
}

static void commit(struct batch *batch)
{
	struct daemon *daemon = batch->daemon;

	if (batch->requests == 0)
		return;
	send_requests(batch);
	refusal_follow(daemon);
	/* Our own changes come back as events: heard now, they meet the state that made them. */
	observe_read(daemon);
}

static int send_advert(struct daemon *daemon, struct interface *interface, const struct advert_out *out)
{
	if (out->peer.family == FAMILY_NONE)
		return interface->wire == NULL ? -ENODEV
		                               : wire_send(interface->wire, out->bytes, out->length);
	int *fd = &daemon->peer_fds[out->peer.family == FAMILY_IPV6];
	if (*fd < 0)
		*fd = peer_open((enum family)out->peer.family);
	if (*fd < 0)
		return *fd;
	return peer_send(*fd, interface->link.index, &out->source, &out->peer, out->bytes, out->length);
}

/*
 * What begins a reign, advert or announcement, turns the switches towards this
 * host, so the gate is ajar when it leaves; not for longer than sending takes, as
 * only an advert that was really sent gives a lease.
 */
#define AJAR_NS (5 * NS_PER_MS)

static void leave_ajar(struct daemon *daemon, const struct action *action, instant before)
{
	const struct interface *interface = interface_of(daemon, action->group);
	const struct vhost *vhost = &action->node->vhost;

	if (vhost->lease_end.ns == 0 && interface->gate_port >= 0 && action->group->virtual_mac)
		gate_open(daemon->gate, interface->gate_port, vhost->vhid, instant_after(before, AJAR_NS));
}

/* Every copy of the node's advert. */
static void send_copies(struct daemon *daemon, const struct action *action, instant before)
{
	struct interface *interface = interface_of(daemon, action->group);
	struct advert_out out;
	int errors[DESTINATIONS_MAX];
	size_t copies = 0;

	while (engine_advert_frame(daemon->engine, action->node, copies, before, &out))
		errors[copies++] = -send_advert(daemon, interface, &out);
	engine_sent(daemon->engine, action->node, before, errors, copies);
}

static void advertise(struct daemon *daemon, const struct action *action)
{
	instant before = daemon_read_clock(daemon);

	/* Paused since this was decided: the others may be ahead of us. */
	if (vhost_lease_expired(daemon->engine, &action->node->vhost, before))
		return;
	leave_ajar(daemon, action, before);
	send_copies(daemon, action, before);
	/* Nobody was told, so nobody has stood back. */
	if (action->node->vhost.lease_end.ns == 0)
		set_gate(daemon, action, false);
}

static void say_goodbye(struct daemon *daemon, const struct action *action)
{
	send_copies(daemon, action, daemon_read_clock(daemon));
}

static void announce_address(struct interface *interface, const struct group *group, const struct mac *mac,
                             const struct address *address)
{
	uint8_t frame[ANNOUNCE_FRAME_MAX];
	bool router = address->family == FAMILY_IPV6 && forwarding_ipv6(interface->name);
	size_t length = announce_build(address, mac, ANNOUNCE_REQUEST, router, frame);

	(void)wire_send(interface->wire, frame, length);
	if (group->virtual_mac || address->family != FAMILY_IPV4)
		return;
	length = announce_build(address, mac, ANNOUNCE_REPLY, router, frame);
	(void)wire_send(interface->wire, frame, length);
}

static void announce(struct daemon *daemon, const struct action *action)
{
	struct interface *interface = interface_of(daemon, action->group);
	const struct group_settings *settings = action->group->settings;
	struct mac mac =
	        action->group->virtual_mac ? mac_virtual(action->node->vhost.vhid) : interface->link.mac;

	if (interface->wire == NULL)
		return;
	/* Before the first advert, unless that could not be sent. */
	if (action->node->vhost.send_failures == 0)
		leave_ajar(daemon, action, daemon_read_clock(daemon));
	for (size_t i = 0; i < settings->address_count; i++)
		if (!refusal_stands(daemon, interface, &settings->addresses[i].address))
			announce_address(interface, action->group, &mac, &settings->addresses[i].address);
}

static void probe(struct daemon *daemon, const struct action *action)
{
	struct interface *interface = interface_of(daemon, action->group);
	struct advert_out out;
	int errors[DESTINATIONS_MAX];
	size_t copies = 0;

	while (engine_probe_frame(daemon->engine, action->node, copies, &out))
		errors[copies++] = -send_advert(daemon, interface, &out);
	engine_probed(daemon->engine, action->node, errors, copies, daemon->now);
}

static void follow_up(struct daemon *daemon, const struct action *action)
{
	switch (action->kind) {
	case ACTION_SHUT:
	case ACTION_TAKE:
	case ACTION_DROP:
		break; /* done before */
	case ACTION_ADVERTISE:
		if (speaks(action))
			advertise(daemon, action);
		break;
	case ACTION_GOODBYE:
		say_goodbye(daemon, action);
		break;
	case ACTION_SERVE:
		if (speaks(action))
			set_gate(daemon, action, true);
		break;
	case ACTION_ANNOUNCE:
		if (speaks(action))
			announce(daemon, action);
		break;
	case ACTION_PROBE:
		probe(daemon, action);
		break;
	case ACTION_TELL:
		break; /* last: nobody waits for the log */
	}
}

static void tell_taken(struct daemon *daemon, const struct group *group, int taking_us)
{
	const struct group_settings *settings = group->settings;
	size_t count = 0;

	for (size_t i = 0; i < settings->address_count; i++)
		count +=
		        !refusal_stands(daemon, interface_of(daemon, group), &settings->addresses[i].address);
	if (group->masters > 0)
		history_note(&daemon->history, daemon_wall_ns(daemon), group->settings->name, "took",
		             "took %zu address%s, in %d us", count, count == 1 ? "" : "es", taking_us);
}

static void write_log(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->told_count; i++)
		if (daemon->told[i].kind == ACTION_TAKE)
			tell_taken(daemon, daemon->told[i].group, daemon->told[i].report.value);
		else
			history_report(&daemon->history, daemon->engine, &daemon->told[i], daemon->now);
	daemon->told_count = 0;
}

static void keep_for_log(struct daemon *daemon, size_t count, int64_t taking_ns)
{
	if (daemon->told_count + count > daemon->engine->action_capacity)
		write_log(daemon);
	for (size_t i = 0; i < count; i++) {
		struct action *action = &daemon->todo[i];
		if (action->kind == ACTION_TAKE)
			action->report.value = (int)(taking_ns / NS_PER_US);
		else if (action->kind != ACTION_TELL)
			continue;
		daemon->told[daemon->told_count++] = *action;
	}
}

static size_t take_todo(struct daemon *daemon)
{
	struct engine *engine = daemon->engine;
	size_t count = engine->action_count;

	memcpy(daemon->todo, engine->actions, count * sizeof(daemon->todo[0]));
	engine_clear_actions(engine);
	return count;
}

static void perform_turn(struct daemon *daemon, size_t count)
{
	struct batch batch = {.daemon = daemon};

	shut_gates(daemon, count);
	for (size_t i = 0; i < count; i++)
		if (daemon->todo[i].kind == ACTION_DROP)
			route_remember(daemon, daemon->todo[i].group);
	instant begun = daemon_read_clock(daemon);
	for (size_t i = 0; i < count; i++)
		if (daemon->todo[i].kind == ACTION_TAKE || daemon->todo[i].kind == ACTION_DROP)
			move_addresses(&batch, &daemon->todo[i]);
	commit(&batch);
	route_tell_lost(daemon);
	route_follow(daemon);
	int64_t taking_ns = instant_span_ns(begun, daemon_read_clock(daemon));
	for (size_t i = 0; i < count; i++)
		follow_up(daemon, &daemon->todo[i]);
	keep_for_log(daemon, count, taking_ns);
}

void perform_all(struct daemon *daemon)
{
	if (daemon->performing)
		return; /* an event of our own commit; the turn that made it goes on */
	daemon->performing = true;
	do {
		while (daemon->engine->action_count > 0)
			perform_turn(daemon, take_todo(daemon));
		routed_look(daemon);
	} while (daemon->engine->action_count > 0);
	write_log(daemon);
	daemon->performing = false;
}

void perform_drop_address(struct daemon *daemon, struct interface *interface,
                          const struct shared_address *address)
{
	struct batch batch = {.daemon = daemon};

	drop_address(&batch, interface, address);
	commit(&batch);
}

void perform_take_address(struct daemon *daemon, struct interface *interface, struct group *group,
                          const struct shared_address *address)
{
	struct batch batch = {.daemon = daemon};

	take_address(&batch, interface, address);
	commit(&batch);
	if (!refusal_stands(daemon, interface, &address->address))
		vhost_announce(daemon->engine, &group->nodes[0].vhost);
}

void perform_leave(struct daemon *daemon, struct interface *interface)
{
	struct batch batch = {.daemon = daemon, .leaving = true};

	for (size_t i = 0; i < daemon->engine->settings->group_count; i++) {
		const struct action drop = {.kind = ACTION_DROP, .group = &daemon->engine->groups[i]};
		if (interface_of(daemon, drop.group) == interface && drop.group->masters > 0)
			move_addresses(&batch, &drop);
	}
	if (batch.requests > 0)
		send_requests(&batch);
}

static bool has_scope(const struct interface *interface, const struct shared_address *shared, bool host)
{
	const struct rtnl_address *there = address_list_find(&interface->ours, &shared->address);

	while (there != NULL && there->scope_host == host)
		there = address_list_next(&interface->ours, there);
	return there == NULL;
}

static void follow_own_addresses(struct batch *batch, struct interface *interface, struct group *group)
{
	struct daemon *daemon = batch->daemon;
	struct rtnl_address_flags flags = {.scope_host = interface_has_own_ipv4(interface, daemon->runtime)};
	int link_index = interface->link.index;

	for (size_t i = 0; i < group->settings->address_count; i++) {
		const struct shared_address *shared = &group->settings->addresses[i];
		if (shared->address.family == FAMILY_IPV4 && !has_scope(interface, shared, flags.scope_host))
			rtnl_rescope_address(daemon->rtnl, link_index, &shared->address, flags,
			                     tag_of(shared));
		if (interface_lacks_route(interface, daemon->runtime, shared))
			rtnl_add_route(daemon->rtnl, link_index, shared, tag_of(&shared->prefix_length));
		else
			rtnl_remove_route(daemon->rtnl, link_index, shared, NULL);
		batch->requests++;
	}
}

void perform_follow_own_addresses(struct daemon *daemon)
{
	struct batch batch = {.daemon = daemon};

	for (size_t i = 0; i < daemon->engine->settings->group_count; i++) {
		struct group *group = &daemon->engine->groups[i];
		struct interface *interface = interface_of(daemon, group);
		if (group->masters > 0 && interface->link.index != 0)
			follow_own_addresses(&batch, interface, group);
	}
	commit(&batch);
}
