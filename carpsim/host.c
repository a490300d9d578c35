#include "host.h"

#include <string.h>

#include "peers.h"
#include "perform.h"
#include "world.h"

instant host_now(const struct host *host)
{
	return local_clock_read(&host->clock, host->world->now_ns);
}

enum vhost_state host_state(const struct host *host, size_t unit)
{
	if (!host->running)
		return VHOST_INIT;
	if (host->kind != HOST_CARPD)
		return host->peers[unit].state;
	const struct node *node = daemon_node(host, unit);
	return node != NULL ? node->vhost.state : VHOST_INIT;
}

bool host_serves(const struct host *host, size_t unit)
{
	if (host->kind != HOST_CARPD)
		return host_state(host, unit) == VHOST_MASTER;
	return kernel_serves(&host->kernel, unit, host_now(host));
}

void host_open(struct host *host, struct world *world, size_t index)
{
	const struct scenario *scenario = world->scenario;
	size_t local = index % scenario->host_count;

	host->world = world;
	host->index = index;
	host->kind = scenario->hosts[local].kind;
	host->clock = (struct local_clock){.shown = {(int64_t)(1000 + 100 * (index % HOSTS_MAX)) * NS_PER_S},
	                                   .rate = scenario->hosts[local].rate};
	kernel_open(&host->kernel, scenario, local);
}

void host_configure(struct host *host)
{
	if (host->kind == HOST_CARPD)
		daemon_open(host);
	else
		peers_open(host);
}

void host_close(struct host *host)
{
	if (host->kind == HOST_CARPD)
		daemon_close(host);
	else
		peers_close(host);
	kernel_close(&host->kernel);
}

void host_send(struct host *host, size_t unit, size_t port, const uint8_t *frame, size_t length,
               const struct address *to)
{
	struct flight flight = {.from = (uint32_t)host->index,
	                        .port = (uint16_t)port,
	                        .unit = (uint16_t)unit,
	                        .number = host->adverts,
	                        .multicast = to->family == FAMILY_NONE,
	                        .bytes = (uint16_t)(length - ETHERNET_BYTES)};

	memcpy(flight.packet, frame + ETHERNET_BYTES, flight.bytes);
	check_sent(host->world, &flight);
	network_send(host->world, &flight, to);
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

static void arm(struct host *host)
{
	instant due = host->kind == HOST_CARPD ? engine_deadline(host->daemon.engine) : peers_deadline(host);

	if (instant_is_never(due))
		return;
	int64_t at_ns = local_clock_when(&host->clock, due, host->world->now_ns);
	/* An earlier wake in the queue looks again; one at a time is enough. */
	if (host->wake_at_ns > host->world->now_ns && host->wake_at_ns <= at_ns)
		return;
	host->wake_at_ns = at_ns;
	queue_add(&host->world->queue, at_ns, EVENT_WAKE, (uint32_t)host->index);
}

/* After every event: its deeds, and when to look again. */
static void settle(struct host *host)
{
	if (!is_awake(host))
		return;
	if (host->kind == HOST_CARPD)
		perform_look_for_routes(host);
	if (host->kind != HOST_CARPD) {
		peers_flush(host);
	} else if (host->stall_ns > 0 && daemon_wants_to_advertise(host)) {
		int64_t span_ns = host->stall_ns;
		host->stall_ns = 0;
		host_pause(host, span_ns, false);
		return;
	} else {
		perform_all(host);
		daemon_finish_reload(host);
		perform_all(host);
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
		daemon_turn(host);
	else
		peers_turn(host);
	host->waiting_count = 0;
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
	struct trace *trace = &host->world->trace;

	if (!host->running || !host->kernel.ports[flight->port].up || host->waiting_count == WAITING_MAX) {
		check_lost(host->world, flight->from, host->index);
		return;
	}
	/* Without seals it believes anything, and what it says next may be doubted for it. */
	if (flight->recorded_ns != 0 && host->kind != HOST_CARPD)
		check_trouble(host->world, host->index);
	trace_mix(trace, (uint64_t)host->world->now_ns);
	trace_mix(trace, (uint64_t)host->index << 32 | flight->from);
	host->waiting[host->waiting_count++] = (struct waiting){
	        .flight = *flight, .arrived = host_now(host), .arrived_ns = host->world->now_ns};
	turn(host);
}

void host_start(struct host *host)
{
	if (host->running)
		return;
	host->running = true;
	host->started_ns = host->world->now_ns;
	host->stopping = false;
	host->stall_ns = 0;
	host->asked_demotion = 0;
	host->maintained_ns = 0;
	check_trouble(host->world, host->index);
	if (host->kind == HOST_CARPD)
		daemon_start(host);
	else
		peers_start(host);
	host->rebooted = false;
	settle(host);
}

void host_stop(struct host *host)
{
	if (!is_awake(host))
		return;
	host->stopping = true;
	check_trouble(host->world, host->index);
	if (host->kind == HOST_CARPD)
		engine_stop(host->daemon.engine, NULL, host_now(host));
	else
		peers_stop(host);
	settle(host);
}

void host_kill(struct host *host)
{
	if (!host->running)
		return;
	check_trouble(host->world, host->index);
	if (host->kind == HOST_CARPD)
		daemon_end(host);
	else
		peers_end(host);
	host->running = false;
	host->waiting_count = 0;
	check_host(host->world, host->index);
}

void host_crash(struct host *host)
{
	kernel_clear(&host->kernel);
	host_kill(host);
	host->rebooted = true;
}

void host_pause(struct host *host, int64_t span_ns, bool freeze)
{
	int64_t until_ns = host->world->now_ns + span_ns;

	if (host->clock.frozen || (host->paused && until_ns <= host->paused_until_ns))
		return;
	check_trouble(host->world, host->index);
	if (freeze) {
		local_clock_freeze(&host->clock, host->world->now_ns);
		host->frozen_ns += span_ns;
		host->adverts_at_freeze = host->adverts;
	}
	host->paused = true;
	host->paused_until_ns = until_ns;
	queue_add(&host->world->queue, until_ns, EVENT_RESUME, (uint32_t)host->index);
}

void host_resume(struct host *host)
{
	if (!host->paused || host->world->now_ns < host->paused_until_ns)
		return;
	host->paused = false;
	local_clock_thaw(&host->clock, host->world->now_ns);
	check_trouble(host->world, host->index);
	if (host->running && host->kind == HOST_CARPD) {
		perform_all(host); /* what a stall has interrupted */
		daemon_look_at_links(host);
	}
	turn(host);
}

void host_plug(struct host *host, size_t port, bool up)
{
	host->kernel.ports[port].up = up;
	check_trouble(host->world, host->index);
	if (!host->running)
		return;
	if (host->kind != HOST_CARPD)
		peers_plug(host, port, up);
	else if (!host->paused)
		daemon_look_at_links(host);
	settle(host);
}

/* A request stands, whatever is asked for while it is under way. */
static void note_handover(struct host *host, bool gives_way)
{
	for (size_t i = 0; i < host->world->scenario->group_count; i++) {
		const struct node *node = daemon_node(host, i);
		if (node != NULL && node->vhost.state == VHOST_MASTER)
			host->gives_way[i] =
			        gives_way && (host->gives_way[i] || !node->vhost.handover.active);
	}
}

void host_hand_over(struct host *host)
{
	if (!is_awake(host) || host->kind != HOST_CARPD)
		return;
	check_trouble(host->world, host->index);
	note_handover(host, false);
	engine_hand_over(host->daemon.engine, NULL, host_now(host));
	settle(host);
}

void host_demote(struct host *host, int value)
{
	if (!is_awake(host))
		return;
	check_trouble(host->world, host->index);
	host->asked_demotion = value;
	if (host->kind == HOST_CARPD)
		engine_demote(host->daemon.engine, "asked", value, host_now(host), INSTANT_NEVER);
	else
		peers_demote(host, value);
	settle(host);
}

void host_maintain(struct host *host)
{
	if (!is_awake(host) || host->kind != HOST_CARPD)
		return;
	note_handover(host, true);
	engine_give_way(host->daemon.engine, host_now(host));
	host_demote(host, DEMOTION_SUM_MAX - 1);
	host->maintained_ns = host->world->now_ns;
}

void host_undemote(struct host *host)
{
	if (!is_awake(host))
		return;
	host->maintained_ns = 0;
	check_trouble(host->world, host->index);
	host->asked_demotion = 0;
	if (host->kind == HOST_CARPD)
		engine_undemote(host->daemon.engine, "asked", host_now(host));
	else
		peers_demote(host, 0);
	settle(host);
}

void host_reload(struct host *host, unsigned configured)
{
	if (host->kind != HOST_CARPD || host->paused)
		return;
	check_trouble(host->world, host->index);
	daemon_reload(host, configured);
	settle(host);
}

void host_snatch(struct host *host)
{
	if (!is_awake(host) || host->kind != HOST_CARPD || !host->kernel.taken[0])
		return;
	check_trouble(host->world, host->index);
	kernel_drop(&host->kernel, 0);
	daemon_lose_address(host);
	settle(host);
}

void host_step_wall(struct host *host, int64_t by_ns)
{
	host->wall_offset_ns += by_ns;
	host->stepped_ns += by_ns < 0 ? -by_ns : by_ns;
}
