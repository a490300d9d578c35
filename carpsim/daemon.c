#include "daemon.h"

#include <stdlib.h>

#include "memory.h"
#include "perform.h"
#include "settings.h"
#include "world.h"

#define EPOCH_NS   (INT64_C(1700000000) * NS_PER_S)
#define RESERVE_NS (10 * NS_PER_S) /* sequences written down ahead of their use */

void daemon_open(struct host *host)
{
	settings_write_daemon(host);
	host->daemon.replays = memory_new(host->daemon.settings.node_count, sizeof(struct replay));
}

void daemon_close(struct host *host)
{
	daemon_end(host);
	settings_free_daemon(host);
	free(host->daemon.replays);
}

static int64_t wall_clock_ns(const struct host *host)
{
	return EPOCH_NS + host->world->now_ns + host->wall_offset_ns;
}

static void restore_marks(struct host *host, instant now)
{
	for (size_t i = 0; i < host->daemon.settings.node_count; i++)
		for (size_t r = 0; r < REPLAY_SOURCES_MAX; r++) {
			const struct replay_source *source = &host->daemon.replays[i].sources[r];
			if (source->address.family != FAMILY_NONE)
				replay_restore(&host->daemon.engine->nodes[i].replay, &source->address,
				               source->highest, now);
		}
}

void daemon_start(struct host *host)
{
	struct daemon *daemon = &host->daemon;
	uint64_t sequence = (uint64_t)wall_clock_ns(host);
	instant now = host_now(host);

	if (sequence <= daemon->reserved_sequence)
		sequence = daemon->reserved_sequence + 1;
	daemon->reserved_sequence = sequence + RESERVE_NS;
	daemon->settings.seed = random_next(&host->world->random);
	daemon->settings.sequence_base = sequence;
	daemon->settings.start = now;
	daemon->engine = engine_place(memory_new(1, engine_bytes(&daemon->settings)), &daemon->settings);
	daemon->engine->wall_offset_ns = wall_clock_ns(host) - now.ns;
	daemon->todo = memory_new(daemon->engine->action_capacity, sizeof(daemon->todo[0]));
	kernel_clear(&host->kernel);
	for (size_t i = 0; i < daemon->settings.group_count; i++)
		daemon->engine->groups[i].virtual_mac = true;
	restore_marks(host, now);
	for (size_t i = 0; i < daemon->settings.parent_count; i++) {
		struct parent parent = kernel_parent(&host->kernel, i);
		engine_parent_changed(daemon->engine, i, &parent, now);
	}
}

void daemon_end(struct host *host)
{
	struct daemon *daemon = &host->daemon;

	if (daemon->engine == NULL)
		return;
	for (size_t i = 0; i < daemon->settings.node_count; i++)
		daemon->replays[i] = daemon->engine->nodes[i].replay;
	free(daemon->engine);
	free(daemon->todo);
	daemon->engine = NULL;
	daemon->todo = NULL;
}

static void receive(struct host *host, const struct waiting *waiting)
{
	const struct flight *flight = &waiting->flight;
	const struct vhost before = host->daemon.engine->nodes[flight->unit].vhost;
	enum drop drop = engine_receive(host->daemon.engine, flight->port, flight->packet, flight->bytes,
	                                flight->multicast, waiting->arrived);

	check_judged(host->world, flight, drop);
	if (drop == DROP_NONE) {
		check_accepted(host->world, flight);
		check_heard(host->world, flight, &before, waiting->arrived);
		return;
	}
	trace_line(&host->world->trace, host->world->now_ns,
	           "host %zu group %u: advert of host %u dropped, %s", host->index, flight->unit,
	           flight->from, drop_name(drop));
}

/* Leases first, then what arrived, then what is due. */
void daemon_turn(struct host *host)
{
	struct engine *engine = host->daemon.engine;
	instant now = host_now(host);

	engine->wall_offset_ns = wall_clock_ns(host) - now.ns;
	if (instant_reached(engine_deadline(engine), now))
		engine_expire_leases(engine, now);
	for (size_t i = 0; i < host->waiting_count; i++) {
		receive(host, &host->waiting[i]);
		if (engine->action_count > engine->action_capacity / 2)
			perform_all(host);
	}
	if (instant_reached(engine_deadline(engine), now)) {
		engine_tick(engine, now);
		check_ticked(host->world, host->index);
	}
}

void daemon_look_at_links(struct host *host)
{
	struct engine *engine = host->daemon.engine;

	for (size_t i = 0; i < host->daemon.settings.parent_count; i++) {
		struct parent parent = kernel_parent(&host->kernel, i);
		if (engine->parents[i].parent.up != parent.up)
			engine_parent_changed(engine, i, &parent, host_now(host));
	}
}

void daemon_lose_address(struct host *host)
{
	const struct group_settings *group = &host->daemon.groups[0];

	engine_address_lost(host->daemon.engine, group->parent, &group->addresses[0].address, host_now(host));
}

bool daemon_wants_to_advertise(const struct host *host)
{
	const struct engine *engine = host->daemon.engine;

	for (size_t i = 0; i < engine->action_count; i++)
		if (engine->actions[i].kind == ACTION_ADVERTISE)
			return true;
	return false;
}

void daemon_reserve_sequences(struct host *host)
{
	struct daemon *daemon = &host->daemon;

	if (daemon->engine->sequence + RESERVE_NS / 2 > daemon->reserved_sequence)
		daemon->reserved_sequence = daemon->engine->sequence + RESERVE_NS;
}
