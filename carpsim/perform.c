#include "perform.h"

#include <errno.h>
#include <string.h>

#include "world.h"

/* Groups have one virtual host each. */
static size_t group_unit(const struct group *group)
{
	return daemon_unit(&group->nodes[0]);
}

/* Nobody tells of it: the daemon looks, here just in time. */
static void begin_to_route(struct host *host, size_t unit)
{
	struct world *world = host->world;
	int64_t *routed_ns = &host->kernel.routed_ns[unit];

	*routed_ns = world->now_ns;
	if (world->scenario->routing_ns == 0)
		return;
	*routed_ns += random_between(&world->random, 0, world->scenario->routing_ns);
	if (random_chance(&world->random, world->scenario->unrouted_per_million))
		*routed_ns = INT64_MAX;
	else
		queue_add(&world->queue, *routed_ns, EVENT_WAKE, (uint32_t)host->index);
}

static void take(struct host *host, struct group *group)
{
	int error = kernel_take(&host->kernel, group_unit(group), host->world->now_ns);

	if (error < 0)
		engine_take_failed(host->daemon.engine, group, -error, host_now(host));
	else
		begin_to_route(host, group_unit(group));
}

void perform_look_for_routes(struct host *host)
{
	struct engine *engine = host->daemon.engine;

	if (engine->action_count > 0)
		return; /* what is still to be dropped is routed too */
	for (size_t i = 0; i < engine->settings->group_count; i++) {
		struct group *group = &engine->groups[i];
		if (engine_is_taking(group) &&
		    kernel_routes(&host->kernel, group_unit(group), host->world->now_ns))
			engine_taken(engine, group, host_now(host));
	}
}

static void serve(struct host *host, const struct node *node)
{
	if (node->vhost.lease_end.ns != 0)
		kernel_open_gate(&host->kernel, daemon_unit(node), node->vhost.lease_end);
}

/* The kernel puts the IP header on what goes to a unicast peer; here it is put on again. */
static void send_out(struct host *host, size_t unit, size_t port, const struct advert_out *out)
{
	uint8_t frame[PACKET_FRAME_MAX];
	const struct mac nobody = {{0}};
	size_t length;

	if (out->peer.family == FAMILY_NONE) {
		host_send(host, unit, port, out->bytes, out->length, &out->peer);
		return;
	}
	length = packet_build(&nobody, &nobody, &out->source, &out->peer, out->bytes, out->length, frame);
	host_send(host, unit, port, frame, length, &out->peer);
}

static bool send_copies(struct host *host, struct node *node, instant before)
{
	size_t port = daemon_port(host, node->vhost.group->settings->parent);
	bool sent = kernel_can_send(&host->kernel, port);
	int errors[DESTINATIONS_MAX];
	struct advert_out out;
	size_t copies = 0;

	host->adverts++;
	for (; engine_advert_frame(host->daemon.engine, node, copies, before, &out); copies++) {
		errors[copies] = sent ? 0 : ENOBUFS;
		if (sent)
			send_out(host, daemon_unit(node), port, &out);
	}
	engine_sent(host->daemon.engine, node, before, errors, copies);
	return sent;
}

static void say_goodbye(struct host *host, struct node *node)
{
	(void)send_copies(host, node, host_now(host));
	daemon_reserve_sequences(host);
}

static void advertise(struct host *host, struct node *node)
{
	struct engine *engine = host->daemon.engine;
	size_t unit = daemon_unit(node);
	instant before = host_now(host);

	if (vhost_lease_expired(engine, &node->vhost, before))
		return;
	int64_t interval_ns = vhost_interval_ns(&node->vhost);
	bool sent = send_copies(host, node, before);
	if (sent)
		host->kernel.gates[unit].advert = host->adverts;
	if (sent && node->vhost.state == VHOST_MASTER)
		check_gate(host->world, host->index, unit, interval_ns, before, node->vhost.lease_end);
	daemon_reserve_sequences(host);
}

/* Whoever gets it looks for no vhid 0, so it is not put on the wire. */
static void probe(struct host *host, struct node *node)
{
	size_t port = daemon_port(host, node->vhost.group->settings->parent), copies = 0;
	int errors[DESTINATIONS_MAX], error = kernel_can_send(&host->kernel, port) ? 0 : ENOBUFS;
	struct advert_out out;

	while (engine_probe_frame(host->daemon.engine, node, copies, &out))
		errors[copies++] = error;
	engine_probed(host->daemon.engine, node, errors, copies, host_now(host));
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
	const struct transition *transition = &action->report.transition;
	struct trace *trace = &host->world->trace;

	if (action->report.kind != REPORT_TRANSITION) {
		trace_mix(trace, (uint64_t)action->report.kind);
		return;
	}
	size_t unit = daemon_unit(action->node);
	if (transition->to == VHOST_MASTER)
		check_rose(host->world, host->index, unit, transition->at);
	if (transition->to == VHOST_MASTER && transition->cause.kind == CAUSE_SILENCE)
		count_false_takeover(host, unit);
	trace_line(trace, host->world->now_ns, "host %zu group %zu: %s -> %s, %s", host->index, unit,
	           vhost_state_name(transition->from), vhost_state_name(transition->to),
	           cause_name(transition->cause.kind));
}

static bool speaks(const struct action *action)
{
	return vhost_speaks(&action->node->vhost);
}

static void follow_up(struct host *host, const struct action *action)
{
	switch (action->kind) {
	case ACTION_ADVERTISE:
		if (speaks(action))
			advertise(host, action->node);
		break;
	case ACTION_GOODBYE:
		say_goodbye(host, action->node);
		break;
	case ACTION_SERVE:
		if (speaks(action))
			serve(host, action->node);
		break;
	case ACTION_PROBE:
		probe(host, action->node);
		break;
	case ACTION_TELL:
		tell(host, action);
		break;
	case ACTION_ANNOUNCE:
		if (speaks(action))
			check_announced(host->world, host->index, daemon_unit(action->node));
		break;
	case ACTION_SHUT:
	case ACTION_DROP:
	case ACTION_TAKE:
		break;
	}
}

static void perform_turn(struct host *host)
{
	struct engine *engine = host->daemon.engine;
	size_t count = engine->action_count;
	const struct action *todo = host->daemon.todo;

	memcpy(host->daemon.todo, engine->actions, count * sizeof(todo[0]));
	engine_clear_actions(engine);
	for (size_t i = 0; i < count; i++)
		if (todo[i].kind == ACTION_SHUT)
			kernel_shut_gate(&host->kernel, daemon_unit(todo[i].node));
	for (size_t i = 0; i < count; i++) {
		if (todo[i].kind == ACTION_TAKE && todo[i].group->masters > 0)
			take(host, todo[i].group);
		else if (todo[i].kind == ACTION_DROP)
			kernel_drop(&host->kernel, group_unit(todo[i].group));
	}
	for (size_t i = 0; i < count; i++)
		follow_up(host, &todo[i]);
}

void perform_all(struct host *host)
{
	do {
		while (host->daemon.engine->action_count > 0)
			perform_turn(host);
		perform_look_for_routes(host);
	} while (host->daemon.engine->action_count > 0);
}
