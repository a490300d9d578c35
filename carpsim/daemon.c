#include "daemon.h"

#include <stdlib.h>

#include "memory.h"
#include "perform.h"
#include "settings.h"
#include "world.h"

#define EPOCH_NS (INT64_C(1700000000) * NS_PER_S)

void daemon_open(struct host *host)
{
	settings_list_peers(host);
	host->daemon.replays = memory_new(host->world->scenario->group_count, sizeof(struct replay));
}

void daemon_close(struct host *host)
{
	daemon_end(host);
	free(host->daemon.replays);
}

struct node *daemon_node(const struct host *host, size_t unit)
{
	const struct daemon *daemon = &host->daemon;

	if (daemon->engine == NULL || daemon->configuration->places[unit] == 0)
		return NULL;
	return &daemon->engine->nodes[daemon->configuration->places[unit] - 1];
}

size_t daemon_unit(const struct node *node)
{
	return (size_t)node->vhost.vhid - 1;
}

size_t daemon_port(const struct host *host, size_t parent)
{
	return settings_port(host->daemon.configuration->parent_names[parent]);
}

/* The engine's number of a port's interface, or its number of parents. */
static size_t parent_of(const struct host *host, size_t port)
{
	size_t i = 0;

	while (i < host->daemon.configuration->settings.parent_count && daemon_port(host, i) != port)
		i++;
	return i;
}

int64_t daemon_wall_clock_ns(const struct host *host)
{
	return EPOCH_NS + host->world->now_ns + host->wall_offset_ns;
}

/* By the wall clock, which goes on while the host is down (carpd/engine/state.c). */
static struct replay_source of_now(const struct host *host, const struct replay_source *kept, instant now)
{
	struct replay_source source = *kept;
	int64_t elapsed_ns = daemon_wall_clock_ns(host) - (kept->heard.ns + host->daemon.kept_offset_ns);

	source.heard = instant_after(now, elapsed_ns > 0 ? -elapsed_ns : 0);
	source.lead_ns += instant_span_ns(source.heard, kept->heard);
	return source;
}

static void restore_marks(struct host *host, instant now)
{
	struct engine *engine = host->daemon.engine;

	for (size_t i = 0; i < engine->settings->node_count; i++)
		for (size_t r = 0; r < REPLAY_SOURCES_MAX; r++) {
			const struct replay_source *source =
			        &host->daemon.replays[daemon_unit(&engine->nodes[i])].sources[r];
			if (source->address.family == FAMILY_NONE)
				continue;
			struct replay_source now_source = of_now(host, source, now);
			replay_restore(&engine->nodes[i].replay, &now_source);
		}
}

/* An engine for the file as it is now, which begins where settings say. */
static void place_engine(struct host *host)
{
	struct daemon *daemon = &host->daemon;
	const struct engine_settings *settings = &daemon->configuration->settings;

	daemon->engine = engine_place(memory_new(1, engine_bytes(settings)), settings);
	daemon->engine->wall_offset_ns = daemon_wall_clock_ns(host) - host_now(host).ns;
	free(daemon->todo);
	daemon->todo = memory_new(daemon->engine->action_capacity, sizeof(daemon->todo[0]));
	for (size_t i = 0; i < settings->group_count; i++)
		daemon->engine->groups[i].virtual_mac = true;
}

static void look_at_port(struct host *host, size_t parent)
{
	struct parent state = kernel_parent(&host->kernel, daemon_port(host, parent));

	engine_parent_changed(host->daemon.engine, parent, &state, host_now(host));
}

/* As carpd/engine/state.c. */
static uint64_t first_sequence(const struct host *host, instant now)
{
	const struct daemon *daemon = &host->daemon;
	int64_t wall_ns = daemon_wall_clock_ns(host);

	if (daemon->reserved_sequence == 0 || host->rebooted)
		return engine_first_sequence(daemon->reserved_sequence, wall_ns + daemon->kept_ahead_ns);
	return engine_first_sequence((uint64_t)(daemon->kept_lead_ns + now.ns), wall_ns);
}

static void keep_sequence(struct host *host)
{
	struct daemon *daemon = &host->daemon;

	daemon->reserved_sequence = engine_reserve_sequences(daemon->engine, host_now(host));
	daemon->kept_lead_ns = engine_sequence_lead_ns(daemon->engine);
	daemon->kept_ahead_ns = daemon->kept_lead_ns - daemon->engine->wall_offset_ns;
}

void daemon_start(struct host *host)
{
	struct daemon *daemon = &host->daemon;
	instant now = host_now(host);
	uint64_t sequence = first_sequence(host, now);

	daemon->configuration = settings_new(host);
	daemon->configuration->settings.seed = random_next(&host->world->random);
	daemon->configuration->settings.sequence_base = sequence;
	daemon->configuration->settings.start = now;
	place_engine(host);
	keep_sequence(host);
	kernel_clear(&host->kernel);
	restore_marks(host, now);
	for (size_t i = 0; i < daemon->configuration->settings.parent_count; i++)
		look_at_port(host, i);
}

void daemon_end(struct host *host)
{
	struct daemon *daemon = &host->daemon;

	if (daemon->engine == NULL)
		return;
	for (size_t i = 0; i < daemon->engine->settings->node_count; i++)
		daemon->replays[daemon_unit(&daemon->engine->nodes[i])] = daemon->engine->nodes[i].replay;
	daemon->kept_offset_ns = daemon->engine->wall_offset_ns;
	daemon->reloading = false;
	free(daemon->engine);
	free(daemon->todo);
	settings_free(daemon->configuration);
	daemon->engine = NULL;
	daemon->todo = NULL;
	daemon->configuration = NULL;
}

static void receive(struct host *host, const struct waiting *waiting)
{
	const struct flight *flight = &waiting->flight;
	const struct node *node = daemon_node(host, flight->unit);

	if (node == NULL)
		return; /* not configured: nobody listens */
	const struct vhost before = node->vhost;
	int64_t patience_ns = vhost_master_down_ns(&before);
	enum drop drop = engine_receive(host->daemon.engine, parent_of(host, flight->port), flight->packet,
	                                flight->bytes, flight->multicast, waiting->arrived);

	if (flight->recorded_ns != 0)
		check_attack(host->world, flight, waiting->arrived_ns - flight->recorded_ns, patience_ns,
		             drop);
	if (drop == DROP_NONE) {
		check_accepted(host->world, flight);
		check_heard(host->world, flight, &before, waiting->arrived);
		return;
	}
	check_dropped(host->world, flight, drop, &before, waiting->arrived);
	trace_line(&host->world->trace, host->world->now_ns,
	           "host %zu group %u: advert of host %u dropped, %s", host->index, flight->unit,
	           flight->from, drop_name(drop));
}

/* Leases first, then what arrived, then what is due. */
void daemon_turn(struct host *host)
{
	struct engine *engine = host->daemon.engine;
	instant now = host_now(host);

	engine->wall_offset_ns = daemon_wall_clock_ns(host) - now.ns;
	if (instant_reached(engine_deadline(engine), now))
		engine_expire_leases(engine, now);
	for (size_t i = 0; i < host->waiting_count; i++) {
		receive(host, &host->waiting[i]);
		if (engine->action_count > engine->action_capacity / 2)
			perform_all(host);
	}
	daemon_reserve_sequences(host);
	if (instant_reached(engine_deadline(engine), now)) {
		engine_tick(engine, now);
		check_ticked(host->world, host->index);
	}
}

void daemon_look_at_links(struct host *host)
{
	const struct engine *engine = host->daemon.engine;

	for (size_t i = 0; i < engine->settings->parent_count; i++)
		if (engine->parents[i].parent.up != host->kernel.ports[daemon_port(host, i)].up)
			look_at_port(host, i);
}

static bool is_leaving(const struct host *host, const struct group *group)
{
	return settings_leave_out(host, daemon_unit(&group->nodes[0]));
}

void daemon_reload(struct host *host, unsigned configured)
{
	struct daemon *daemon = &host->daemon;

	daemon->configured = configured;
	if (daemon->engine == NULL)
		return;
	daemon->reloading = true;
	for (size_t i = 0; i < daemon->engine->settings->group_count; i++)
		if (is_leaving(host, &daemon->engine->groups[i]))
			engine_stop(daemon->engine, &daemon->engine->groups[i], host_now(host));
}

static bool is_ready_to_reload(const struct host *host)
{
	const struct engine *engine = host->daemon.engine;

	if (!host->daemon.reloading || host->stopping)
		return false;
	for (size_t i = 0; i < engine->settings->group_count; i++)
		if (is_leaving(host, &engine->groups[i]) && !engine_stopped(engine, &engine->groups[i]))
			return false;
	return true;
}

void daemon_finish_reload(struct host *host)
{
	struct daemon *daemon = &host->daemon;
	struct configuration *before = daemon->configuration;
	struct engine *old = daemon->engine;

	if (!is_ready_to_reload(host))
		return;
	daemon->reloading = false;
	daemon->configuration = settings_new(host);
	daemon->configuration->settings.seed = before->settings.seed;
	daemon->configuration->settings.sequence_base = before->settings.sequence_base;
	daemon->configuration->settings.start = before->settings.start;
	place_engine(host);
	engine_adopt(daemon->engine, old, host_now(host));
	for (size_t i = 0; i < daemon->configuration->settings.parent_count; i++)
		look_at_port(host, i);
	check_trouble(host->world, host->index);
	free(old); /* no passphrase, key or address has changed, so nothing of it is needed */
	settings_free(before);
}

void daemon_lose_address(struct host *host)
{
	const struct node *node = daemon_node(host, 0);

	if (node == NULL)
		return;
	const struct group_settings *group = node->vhost.group->settings;
	engine_address_lost(host->daemon.engine, group->parent, &group->addresses[0].address, host_now(host));
}

bool daemon_wants_to_advertise(const struct host *host)
{
	const struct engine *engine = host->daemon.engine;

	for (size_t i = 0; i < engine->action_count; i++)
		if (engine->actions[i].kind == ACTION_ADVERTISE || engine->actions[i].kind == ACTION_TAKE)
			return true;
	return false;
}

void daemon_reserve_sequences(struct host *host)
{
	struct daemon *daemon = &host->daemon;

	if (engine_sequences_run_short(daemon->engine, daemon->reserved_sequence, host_now(host)))
		keep_sequence(host);
}
