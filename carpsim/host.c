#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "world.h"

#define EPOCH_NS        (INT64_C(1700000000) * NS_PER_S)
#define SEAL_WINDOW_NS  (60 * NS_PER_S)
#define RESERVE_NS      (10 * NS_PER_S) /* sequences written down ahead of their use */
#define CLOCK_RATE_UNIT (INT64_C(1) << 20)

static const char *const parent_names[SEGMENTS_MAX] = {"eth0", "eth1"};
static const struct passphrase passphrase = {.bytes = "simulated", .length = 9};

instant host_now(const struct host *host)
{
	int64_t span_ns = host->world->now_ns - host->clock.true_ns;

	if (host->frozen)
		return host->clock.shown;
	return instant_after(host->clock.shown, span_ns + span_ns * host->clock.rate / CLOCK_RATE_UNIT);
}

/* When the clock will show t: the inverse of host_now, closer with every round. */
static int64_t true_time_of(const struct host *host, instant t)
{
	int64_t wanted_ns = instant_span_ns(host->clock.shown, t);
	int64_t span_ns = wanted_ns;

	if (wanted_ns <= 0)
		return host->world->now_ns;
	for (;;) {
		int64_t missing_ns = wanted_ns - span_ns - span_ns * host->clock.rate / CLOCK_RATE_UNIT;
		if (missing_ns <= 0 && missing_ns > -2)
			break;
		span_ns += missing_ns != 0 ? missing_ns : 1;
	}
	int64_t at_ns = host->clock.true_ns + span_ns;
	return at_ns > host->world->now_ns ? at_ns : host->world->now_ns;
}

static void set_clock(struct host *host, instant shown)
{
	host->clock.true_ns = host->world->now_ns;
	host->clock.shown = shown;
}

enum vhost_state host_state(const struct host *host, size_t unit)
{
	if (!host->running)
		return VHOST_INIT;
	return host->kind == HOST_CARPD ? host->engine->nodes[unit].vhost.state : host->peers[unit].state;
}

bool host_serves(const struct host *host, size_t unit)
{
	const struct gate *gate = &host->gates[unit];

	if (host->kind != HOST_CARPD)
		return host_state(host, unit) == VHOST_MASTER;
	return host->taken[unit] && gate->open && instant_before(host_now(host), gate->end);
}

static void shut_gate(struct host *host, size_t unit)
{
	host->gates[unit].open = false;
}

static void open_gate(struct host *host, const struct node *node)
{
	size_t unit = (size_t)(node - host->engine->nodes);

	if (node->vhost.lease_end.ns == 0)
		return;
	host->gates[unit].open = true;
	host->gates[unit].end = node->vhost.lease_end;
}

static void take(struct host *host, struct group *group)
{
	if (host->refusals > 0) {
		host->refusals--;
		engine_take_failed(host->engine, group, EPERM, host_now(host));
		return;
	}
	host->taken[group - host->engine->groups] = true;
}

static void send_packet(struct host *host, size_t unit, size_t port, const uint8_t *packet, size_t bytes,
                        const struct address *to)
{
	struct flight flight = {.from = (uint32_t)host->index,
	                        .port = (uint16_t)port,
	                        .unit = (uint16_t)unit,
	                        .number = host->adverts,
	                        .multicast = to->family == FAMILY_NONE,
	                        .bytes = (uint16_t)bytes};

	memcpy(flight.packet, packet, bytes);
	check_sent(host->world, host->index, unit, packet, bytes);
	network_send(host->world, &flight, to);
}

/* The kernel puts the IP header on what goes to a unicast peer; here it is put on again. */
static void send_out(struct host *host, size_t unit, size_t port, const struct advert_out *out)
{
	uint8_t frame[PACKET_FRAME_MAX];
	const struct mac nobody = {{0}};
	size_t length;

	if (out->peer.family == FAMILY_NONE) {
		send_packet(host, unit, port, out->bytes + ETHERNET_BYTES, out->length - ETHERNET_BYTES,
		            &out->peer);
		return;
	}
	length = packet_build(&nobody, &nobody, &out->source, &out->peer, out->bytes, out->length, frame);
	send_packet(host, unit, port, frame + ETHERNET_BYTES, length - ETHERNET_BYTES, &out->peer);
}

static void advertise(struct host *host, struct node *node)
{
	size_t port = node->vhost.group->settings->parent;
	size_t unit = (size_t)(node - host->engine->nodes);
	instant before = host_now(host);
	struct advert_out out;

	if (vhost_lease_expired(host->engine, &node->vhost, before))
		return;
	bool sent = !host->jammed && host->ports[port].up;
	host->adverts++;
	for (size_t i = 0; engine_advert_frame(host->engine, node, i, before, &out); i++)
		if (sent)
			send_out(host, unit, port, &out);
	if (sent)
		host->gates[unit].advert = host->adverts;
	engine_sent(host->engine, node, before, sent ? 0 : ENOBUFS);
	if (sent && node->vhost.state == VHOST_MASTER)
		check_gate(host->world, host->index, unit, before, node->vhost.lease_end);
	if (host->engine->sequence + RESERVE_NS / 2 > host->reserved_sequence)
		host->reserved_sequence = host->engine->sequence + RESERVE_NS;
}

static const char *cause_name(enum cause_kind kind)
{
	static const char *const names[] = {
	        [CAUSE_NONE] = "none",
	        [CAUSE_STARTED] = "started",
	        [CAUSE_LINK_DOWN] = "link down",
	        [CAUSE_STOPPED] = "stopped",
	        [CAUSE_SILENCE] = "silence",
	        [CAUSE_GOODBYE] = "goodbye",
	        [CAUSE_PREEMPTED_SLOWER] = "preempts a slower master",
	        [CAUSE_WILL_TIME_OUT] = "master will time out",
	        [CAUSE_PEER_DEMOTED] = "master is demoted",
	        [CAUSE_PEER_FASTER] = "peer is faster",
	        [CAUSE_PEER_LESS_DEMOTED] = "peer is less demoted",
	        [CAUSE_PEER_EQUAL] = "peer is equal",
	        [CAUSE_HANDED_OVER] = "handed over",
	        [CAUSE_LEASE_EXPIRED] = "lease expired",
	        [CAUSE_TAKE_FAILED] = "take failed",
	};

	return names[kind];
}

static void count_false_takeover(struct host *host, size_t unit)
{
	size_t base = world_base(host->world, host->index);

	for (size_t i = base; i < base + host->world->scenario->host_count; i++)
		if (i != host->index && host_serves(&host->world->hosts[i], unit)) {
			host->world->false_takeovers++;
			return;
		}
}

static void tell(struct host *host, const struct action *action)
{
	const struct report *report = &action->report;
	int64_t now_ns = host->world->now_ns;

	if (report->kind != REPORT_TRANSITION) {
		trace_mix(&host->world->trace, (uint64_t)report->kind);
		return;
	}
	if (report->transition.to == VHOST_MASTER && report->transition.cause.kind == CAUSE_SILENCE)
		count_false_takeover(host, (size_t)(action->node - host->engine->nodes));
	trace_line(&host->world->trace, now_ns, "host %zu group %zu: %s -> %s, %s", host->index,
	           (size_t)(action->node - host->engine->nodes), vhost_state_name(report->transition.from),
	           vhost_state_name(report->transition.to), cause_name(report->transition.cause.kind));
}

static bool is_master(const struct action *action)
{
	return action->node->vhost.state == VHOST_MASTER;
}

static void follow_up(struct host *host, const struct action *action)
{
	switch (action->kind) {
	case ACTION_ADVERTISE:
		if (is_master(action))
			advertise(host, action->node);
		break;
	case ACTION_SERVE:
		if (is_master(action))
			open_gate(host, action->node);
		break;
	case ACTION_PROBE:
		engine_probed(host->engine, action->parent, host->jammed ? ENOBUFS : 0, host_now(host));
		break;
	case ACTION_TELL:
		tell(host, action);
		break;
	case ACTION_SHUT:
	case ACTION_DROP:
	case ACTION_TAKE:
	case ACTION_ANNOUNCE:
		break;
	}
}

/* The order of carpd: gates are shut, addresses come and go, then adverts leave. */
static void perform_turn(struct host *host)
{
	size_t count = host->engine->action_count;
	const struct action *todo = host->todo;

	memcpy(host->todo, host->engine->actions, count * sizeof(todo[0]));
	engine_clear_actions(host->engine);
	for (size_t i = 0; i < count; i++)
		if (todo[i].kind == ACTION_SHUT)
			shut_gate(host, (size_t)(todo[i].node - host->engine->nodes));
	for (size_t i = 0; i < count; i++) {
		if (todo[i].kind == ACTION_TAKE && todo[i].group->masters > 0)
			take(host, todo[i].group);
		else if (todo[i].kind == ACTION_DROP)
			host->taken[todo[i].group - host->engine->groups] = false;
	}
	for (size_t i = 0; i < count; i++)
		follow_up(host, &todo[i]);
}

static void perform_all(struct host *host)
{
	while (host->engine->action_count > 0)
		perform_turn(host);
}

static bool wants_to_advertise(const struct engine *engine)
{
	for (size_t i = 0; i < engine->action_count; i++)
		if (engine->actions[i].kind == ACTION_ADVERTISE)
			return true;
	return false;
}

static void receive(struct host *host, const struct waiting *waiting)
{
	const struct flight *flight = &waiting->flight;
	enum drop drop = engine_receive(host->engine, flight->port, flight->packet, flight->bytes,
	                                flight->multicast, waiting->arrived);

	if (drop == DROP_NONE) {
		check_accepted(host->world, flight);
		return;
	}
	if (check_excuses(host->world, drop))
		check_lost(host->world, flight->from, host->index);
	trace_line(&host->world->trace, host->world->now_ns,
	           "host %zu group %u: advert of host %u dropped, %s", host->index, flight->unit,
	           flight->from, drop_name(drop));
}

/* As carpd's loop: leases first, then what arrived, then what is due. */
static void turn_carpd(struct host *host, instant now)
{
	struct engine *engine = host->engine;

	engine->wall_offset_ns = EPOCH_NS + host->world->now_ns + host->wall_offset_ns - now.ns;
	if (instant_reached(engine_deadline(engine), now))
		engine_expire_leases(engine, now);
	for (size_t i = 0; i < host->waiting_count; i++) {
		receive(host, &host->waiting[i]);
		if (engine->action_count > engine->action_capacity / 2)
			perform_all(host);
	}
	host->waiting_count = 0;
	if (instant_reached(engine_deadline(engine), now)) {
		engine_tick(engine, now);
		check_ticked(host->world, host->index);
	}
}

static void send_peer_advert(struct host *host, size_t unit, bool bow_out)
{
	struct peer *peer = &host->peers[unit];
	size_t port = unit % host->world->scenario->segment_count;
	const struct address *destinations[] = {&carp_group_ipv4, &carp_group_ipv6};
	const struct mac nobody = {{0}};
	const struct address everybody = {0};

	host->adverts++;
	for (size_t i = 0; i < 2; i++) {
		const struct address *source = i == 0 ? &host->ports[port].ipv4 : &host->ports[port].ipv6;
		uint8_t payload[ADVERT_BYTES];
		uint8_t frame[PACKET_FRAME_MAX];
		struct advert advert;
		if (!(i == 0 ? peer->ipv4 : peer->ipv6) || host->jammed)
			continue;
		peer_write(peer, &host->world->random, bow_out, &advert);
		advert_encode(&advert, payload);
		size_t length = packet_build(&nobody, &nobody, source, destinations[i], payload,
		                             sizeof(payload), frame);
		send_packet(host, unit, port, frame + ETHERNET_BYTES, length - ETHERNET_BYTES, &everybody);
	}
}

static void flush_peer(struct host *host, size_t unit)
{
	struct peer *peer = &host->peers[unit];

	for (; peer->adverts > 0; peer->adverts--)
		send_peer_advert(host, unit, false);
	if (peer->bow_out)
		send_peer_advert(host, unit, true);
	peer->bow_out = false;
}

static void note_peer_state(struct host *host, size_t unit, enum vhost_state before)
{
	enum vhost_state after = host->peers[unit].state;

	if (before != after)
		trace_line(&host->world->trace, host->world->now_ns, "host %zu group %zu: %s -> %s (%s)",
		           host->index, unit, vhost_state_name(before), vhost_state_name(after),
		           host_kind_name(host->kind));
}

static void receive_as_peer(struct host *host, const struct waiting *waiting)
{
	const struct flight *flight = &waiting->flight;
	struct peer *peer = &host->peers[flight->unit];
	enum vhost_state before = peer->state;
	struct packet packet;
	struct advert advert;

	if (packet_parse(flight->packet, flight->bytes, &packet) != DROP_NONE ||
	    advert_decode(packet.payload, packet.payload_bytes, &advert) != DROP_NONE)
		return;
	if (packet.source.family == FAMILY_IPV6 && !peer->ipv6)
		return;
	peer_receive(peer, &packet.source, &advert, waiting->arrived);
	note_peer_state(host, flight->unit, before);
	flush_peer(host, flight->unit);
	check_accepted(host->world, flight);
}

static void turn_peer(struct host *host, instant now)
{
	for (size_t i = 0; i < host->waiting_count; i++)
		receive_as_peer(host, &host->waiting[i]);
	host->waiting_count = 0;
	for (size_t i = 0; i < host->world->scenario->group_count; i++) {
		enum vhost_state before = host->peers[i].state;
		peer_tick(&host->peers[i], now);
		note_peer_state(host, i, before);
		flush_peer(host, i);
	}
}

static instant deadline(const struct host *host)
{
	instant earliest = INSTANT_NEVER;

	if (host->kind == HOST_CARPD)
		return engine_deadline(host->engine);
	for (size_t i = 0; i < host->world->scenario->group_count; i++)
		earliest = instant_earlier(earliest, peer_deadline(&host->peers[i]));
	return earliest;
}

static void arm(struct host *host)
{
	instant due = deadline(host);

	if (instant_is_never(due))
		return;
	int64_t at_ns = true_time_of(host, due);
	/* An earlier wake in the queue looks again; one at a time is enough. */
	if (host->wake_at_ns > host->world->now_ns && host->wake_at_ns <= at_ns)
		return;
	host->wake_at_ns = at_ns;
	queue_add(&host->world->queue, at_ns, EVENT_WAKE, (uint32_t)host->index);
}

static bool is_awake(const struct host *host)
{
	return host->running && !host->paused;
}

static bool is_idle(const struct host *host)
{
	for (size_t i = 0; i < host->world->scenario->group_count; i++)
		if (host_state(host, i) != VHOST_INIT)
			return false;
	return true;
}

/* After every event: its deeds, and when to look again. */
static void settle(struct host *host)
{
	if (!is_awake(host))
		return;
	if (host->kind == HOST_CARPD) {
		if (host->stall_ns > 0 && wants_to_advertise(host->engine)) {
			int64_t span_ns = host->stall_ns;
			host->stall_ns = 0;
			host_pause(host, span_ns, false);
			return;
		}
		perform_all(host);
	} else {
		for (size_t i = 0; i < host->world->scenario->group_count; i++)
			flush_peer(host, i);
	}
	arm(host);
	check_host(host->world, host->index);
	if (host->stopping && is_idle(host))
		host_kill(host); /* as carpd, which ends when it has left everything */
}

static void turn(struct host *host)
{
	if (!is_awake(host))
		return;
	if (host->kind == HOST_CARPD)
		turn_carpd(host, host_now(host));
	else
		turn_peer(host, host_now(host));
	settle(host);
}

void host_wake(struct host *host)
{
	if (host->wake_at_ns == host->world->now_ns)
		host->wake_at_ns = 0;
	turn(host);
}

void host_arrived(struct host *host, const struct flight *flight)
{
	if (!host->running || !host->ports[flight->port].up || host->waiting_count == WAITING_MAX) {
		check_lost(host->world, flight->from, host->index);
		return;
	}
	trace_mix(&host->world->trace, (uint64_t)host->world->now_ns);
	trace_mix(&host->world->trace, (uint64_t)host->index << 32 | flight->from);
	host->waiting[host->waiting_count++] = (struct waiting){.flight = *flight, .arrived = host_now(host)};
	turn(host);
}

void host_pause(struct host *host, int64_t span_ns, bool freeze)
{
	int64_t until_ns = host->world->now_ns + span_ns;

	if (host->frozen || (host->paused && until_ns <= host->paused_until_ns))
		return;
	check_trouble(host->world, host->index);
	if (freeze) {
		set_clock(host, host_now(host));
		host->frozen = true;
		host->adverts_at_freeze = host->adverts;
	}
	host->paused = true;
	host->paused_until_ns = until_ns;
	queue_add(&host->world->queue, until_ns, EVENT_RESUME, (uint32_t)host->index);
}

static struct parent parent_state(const struct port *port)
{
	return (struct parent){
	        .up = port->up, .mac = port->mac, .source_ipv4 = port->ipv4, .source_ipv6 = port->ipv6};
}

static void hear_of_cables(struct host *host)
{
	for (size_t i = 0; i < host->world->scenario->segment_count; i++) {
		struct parent parent = parent_state(&host->ports[i]);
		if (host->engine->parents[i].parent.up != parent.up)
			engine_parent_changed(host->engine, i, &parent, host_now(host));
	}
}

void host_resume(struct host *host)
{
	if (!host->paused || host->world->now_ns < host->paused_until_ns)
		return;
	instant now = host_now(host);
	host->paused = false;
	host->frozen = false;
	set_clock(host, now);
	check_trouble(host->world, host->index);
	if (host->running && host->kind == HOST_CARPD) {
		perform_all(host); /* what a stall has interrupted */
		hear_of_cables(host);
	}
	turn(host);
}

static void start_carpd(struct host *host, instant now)
{
	const struct scenario *scenario = host->world->scenario;
	uint64_t sequence = (uint64_t)(EPOCH_NS + host->world->now_ns + host->wall_offset_ns);

	if (sequence <= host->reserved_sequence)
		sequence = host->reserved_sequence + 1;
	host->reserved_sequence = sequence + RESERVE_NS;
	host->settings.seed = random_next(&host->world->random);
	host->settings.sequence_base = sequence;
	host->settings.start = now;
	host->engine = engine_place(memory_new(1, engine_bytes(&host->settings)), &host->settings);
	host->todo = memory_new(host->engine->action_capacity, sizeof(host->todo[0]));
	host->engine->wall_offset_ns = EPOCH_NS + host->world->now_ns + host->wall_offset_ns - now.ns;
	for (size_t i = 0; i < scenario->group_count; i++) {
		shut_gate(host, i);
		host->taken[i] = false;
		host->engine->groups[i].virtual_mac = true;
		for (size_t r = 0; r < REPLAY_SOURCES_MAX; r++)
			if (host->replays[i].sources[r].address.family != FAMILY_NONE)
				replay_restore(&host->engine->nodes[i].replay,
				               &host->replays[i].sources[r].address,
				               host->replays[i].sources[r].highest, now);
	}
	for (size_t i = 0; i < scenario->segment_count; i++) {
		struct parent parent = parent_state(&host->ports[i]);
		engine_parent_changed(host->engine, i, &parent, now);
	}
}

void host_start(struct host *host)
{
	if (host->running)
		return;
	host->running = true;
	host->stopping = false;
	host->stall_ns = 0;
	check_trouble(host->world, host->index);
	if (host->kind == HOST_CARPD)
		start_carpd(host, host_now(host));
	else
		for (size_t i = 0; i < host->world->scenario->group_count; i++) {
			peer_demote(&host->peers[i], 0, host_now(host));
			if (host->ports[i % host->world->scenario->segment_count].up)
				peer_start(&host->peers[i], host_now(host));
		}
	settle(host);
}

static void free_engine(struct host *host)
{
	if (host->engine == NULL)
		return;
	for (size_t i = 0; i < host->settings.node_count; i++)
		host->replays[i] = host->engine->nodes[i].replay;
	free(host->engine);
	free(host->todo);
	host->engine = NULL;
	host->todo = NULL;
}

void host_kill(struct host *host)
{
	if (!host->running)
		return;
	check_trouble(host->world, host->index);
	if (host->kind != HOST_CARPD)
		for (size_t i = 0; i < host->world->scenario->group_count; i++) {
			peer_stop(&host->peers[i]);
			host->peers[i].bow_out = false;
		}
	free_engine(host);
	host->running = false;
	host->waiting_count = 0;
	check_host(host->world, host->index);
}

void host_crash(struct host *host)
{
	for (size_t i = 0; i < host->world->scenario->group_count; i++) {
		shut_gate(host, i);
		host->taken[i] = false;
	}
	host_kill(host);
}

void host_stop(struct host *host)
{
	if (!is_awake(host))
		return;
	host->stopping = true;
	check_trouble(host->world, host->index);
	if (host->kind == HOST_CARPD)
		engine_stop(host->engine, NULL, host_now(host));
	else
		for (size_t i = 0; i < host->world->scenario->group_count; i++)
			peer_stop(&host->peers[i]);
	settle(host);
}

void host_plug(struct host *host, size_t port, bool up)
{
	host->ports[port].up = up;
	check_trouble(host->world, host->index);
	if (!host->running)
		return;
	if (host->kind == HOST_CARPD) {
		if (!host->paused)
			hear_of_cables(host);
	} else {
		for (size_t i = port; i < host->world->scenario->group_count;
		     i += host->world->scenario->segment_count) {
			if (up)
				peer_start(&host->peers[i], host_now(host));
			else
				peer_stop(&host->peers[i]);
			host->peers[i].bow_out = false;
		}
	}
	settle(host);
}

void host_hand_over(struct host *host)
{
	if (!is_awake(host) || host->kind != HOST_CARPD)
		return;
	check_trouble(host->world, host->index);
	engine_hand_over(host->engine, NULL, host_now(host));
	settle(host);
}

void host_demote(struct host *host, int value)
{
	if (!is_awake(host))
		return;
	check_trouble(host->world, host->index);
	if (host->kind == HOST_CARPD)
		engine_demote(host->engine, "asked", value, DEMOTION_EVERYWHERE, host_now(host),
		              INSTANT_NEVER);
	else
		for (size_t i = 0; i < host->world->scenario->group_count; i++)
			peer_demote(&host->peers[i], value, host_now(host));
	settle(host);
}

void host_undemote(struct host *host)
{
	if (!is_awake(host))
		return;
	check_trouble(host->world, host->index);
	if (host->kind == HOST_CARPD)
		engine_undemote(host->engine, "asked", host_now(host));
	else
		for (size_t i = 0; i < host->world->scenario->group_count; i++)
			peer_demote(&host->peers[i], 0, host_now(host));
	settle(host);
}

void host_snatch(struct host *host)
{
	if (!is_awake(host) || host->kind != HOST_CARPD || !host->taken[0])
		return;
	check_trouble(host->world, host->index);
	host->taken[0] = false;
	engine_address_lost(host->engine, host->groups[0].parent, &host->groups[0].addresses[0].address,
	                    host_now(host));
	settle(host);
}

void host_step_wall(struct host *host, int64_t by_ns)
{
	host->wall_offset_ns += by_ns;
}

/* Site by site the same: 10.0.G.1 and fd00::G:1 for group G, shared by its hosts. */
static struct shared_address *shared_addresses(const struct scenario *scenario, size_t group)
{
	struct shared_address *addresses = memory_new(2, sizeof(*addresses));
	size_t count = 0;

	if (scenario->ipv4)
		addresses[count++] = (struct shared_address){
		        .address = {.family = FAMILY_IPV4, .bytes = {10, 0, (uint8_t)group, 1}},
		        .prefix_length = 24};
	if (scenario->ipv6)
		addresses[count] = (struct shared_address){
		        .address = {.family = FAMILY_IPV6, .bytes = {0xfd, [13] = (uint8_t)group, [15] = 1}},
		        .prefix_length = 64};
	return addresses;
}

static size_t address_count(const struct scenario *scenario)
{
	return (size_t)scenario->ipv4 + (size_t)scenario->ipv6;
}

/* The hosts' own addresses: in which order is chance, and another in each family. */
static void open_ports(struct host *host)
{
	const struct scenario *scenario = host->world->scenario;
	size_t local = host->index % scenario->host_count;

	for (size_t i = 0; i < scenario->segment_count; i++) {
		struct random order = {.state = scenario->seed + i};
		uint8_t turn_ipv4 = (uint8_t)random_below(&order, HOSTS_MAX);
		uint8_t turn_ipv6 = (uint8_t)random_below(&order, HOSTS_MAX);
		host->ports[i] = (struct port){
		        .up = true,
		        .mac = {{2, 0, 0, (uint8_t)i, 0, (uint8_t)local}},
		        .ipv4 = {.family = FAMILY_IPV4,
		                 .bytes = {192, 168, (uint8_t)i,
		                           (uint8_t)(10 + (local + turn_ipv4) % HOSTS_MAX)}},
		        .ipv6 = {.family = FAMILY_IPV6,
		                 .bytes = {0xfe,
		                           0x80, [15] = (uint8_t)(10 + (local + turn_ipv6) % HOSTS_MAX)}},
		};
	}
}

/* Computed once for all: each derivation costs a dozen compressions. */
static const struct seal_key *seal_key(void)
{
	static struct seal_key key;
	static bool derived;

	if (!derived)
		seal_key_derive(&key, 0, passphrase.bytes, passphrase.length);
	derived = true;
	return &key;
}

/* In a world of one segment and several hosts: all the others. */
static size_t list_unicast_peers(struct host *host)
{
	const struct scenario *scenario = host->world->scenario;
	size_t base = world_base(host->world, host->index);
	size_t count = 0;

	for (size_t i = base; scenario->unicast && i < base + scenario->host_count; i++)
		if (i != host->index)
			host->unicast_peers[count++] = host->world->hosts[i].ports[0].ipv4;
	return count;
}

static void configure_carpd(struct host *host)
{
	const struct scenario *scenario = host->world->scenario;
	size_t local = host->index % scenario->host_count;
	size_t peer_count = list_unicast_peers(host);

	for (size_t i = 0; i < scenario->group_count; i++) {
		host->nodes[i] = (struct node_settings){.vhid = (uint8_t)(i + 1),
		                                        .advskew = scenario_advskew(scenario, local, i)};
		host->groups[i] = (struct group_settings){
		        .name = "group",
		        .parent = i % scenario->segment_count,
		        .advbase = scenario->advbase,
		        .preempt = scenario->preempt,
		        .preempt_delay_ns = scenario->preempt_delay_ns,
		        .ttl_check = true,
		        .nodes = &host->nodes[i],
		        .node_count = 1,
		        .addresses = shared_addresses(scenario, i),
		        .address_count = address_count(scenario),
		        .peers = host->unicast_peers,
		        .peer_count = peer_count,
		        .passphrase = passphrase,
		        .seal = scenario->seal,
		        .seal_keys = seal_key(),
		        .seal_key_count = 1,
		        .seal_window_ns = SEAL_WINDOW_NS,
		};
	}
	host->settings = (struct engine_settings){
	        .groups = host->groups,
	        .group_count = scenario->group_count,
	        .node_count = scenario->group_count,
	        .parent_names = parent_names,
	        .parent_count = scenario->segment_count,
	        .handover_wait_ns = scenario->handover_wait_ns,
	        .grace_ns = 60 * NS_PER_S,
	};
}

static void configure_peer(struct host *host)
{
	const struct scenario *scenario = host->world->scenario;
	size_t local = host->index % scenario->host_count;

	for (size_t i = 0; i < scenario->group_count; i++) {
		struct shared_address *addresses = shared_addresses(scenario, i);
		host->peers[i] = (struct peer){
		        .dialect = host->kind,
		        .vhid = (uint8_t)(i + 1),
		        .advbase = scenario->advbase,
		        .advskew = scenario_advskew(scenario, local, i),
		        .preempt = scenario->preempt,
		        .ipv4 = scenario->ipv4,
		        .ipv6 = scenario->ipv6,
		        .own = host->ports[i % scenario->segment_count].ipv4,
		};
		peer_prepare(&host->peers[i], &passphrase, addresses, address_count(scenario));
		free(addresses);
	}
}

void host_open(struct host *host, struct world *world, size_t index)
{
	const struct scenario *scenario = world->scenario;
	const struct host_plan *plan = &scenario->hosts[index % scenario->host_count];

	host->world = world;
	host->index = index;
	host->kind = plan->kind;
	host->clock = (struct clock_state){.shown = {(int64_t)(1000 + 100 * (index % HOSTS_MAX)) * NS_PER_S},
	                                   .rate = plan->rate};
	open_ports(host);
	host->gates = memory_new(scenario->group_count, sizeof(host->gates[0]));
	host->taken = memory_new(scenario->group_count, sizeof(host->taken[0]));
	if (host->kind == HOST_CARPD) {
		host->groups = memory_new(scenario->group_count, sizeof(host->groups[0]));
		host->nodes = memory_new(scenario->group_count, sizeof(host->nodes[0]));
		host->replays = memory_new(scenario->group_count, sizeof(host->replays[0]));
	} else {
		host->peers = memory_new(scenario->group_count, sizeof(host->peers[0]));
	}
}

void host_configure(struct host *host)
{
	if (host->kind == HOST_CARPD)
		configure_carpd(host);
	else
		configure_peer(host);
}

void host_close(struct host *host)
{
	for (size_t i = 0; host->groups != NULL && i < host->settings.group_count; i++)
		free((void *)(uintptr_t)host->groups[i].addresses);
	free_engine(host);
	free(host->gates);
	free(host->taken);
	free(host->groups);
	free(host->nodes);
	free(host->replays);
	free(host->peers);
}
