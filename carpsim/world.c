#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "disturb.h"
#include "memory.h"

/* Hosts do not all start at one moment, but within what a backup waits. */
static void schedule_starts(struct world *world)
{
	for (size_t i = 0; i < world->host_count; i++) {
		int64_t at_ns = random_below(&world->random, scenario_patience_ns(world->scenario));
		queue_add(&world->queue, at_ns, EVENT_START, (uint32_t)i);
	}
}

static int64_t audit_interval_ns(const struct world *world)
{
	int64_t span_ns = scenario_patience_ns(world->scenario) / 2;

	return span_ns > 100 * NS_PER_MS ? span_ns : 100 * NS_PER_MS;
}

void world_open(struct world *world, const struct scenario *scenario, size_t copies, bool checked)
{
	memset(world, 0, sizeof(*world));
	world->scenario = scenario;
	world->random.state = scenario->seed;
	world->network.loss_per_million = scenario->loss_per_million;
	world->copies = copies;
	world->host_count = scenario->host_count * copies;
	world->hosts = memory_new(world->host_count, sizeof(world->hosts[0]));
	for (size_t i = 0; i < world->host_count; i++)
		host_open(&world->hosts[i], world, i);
	for (size_t i = 0; i < world->host_count; i++)
		host_configure(&world->hosts[i]);
	schedule_starts(world);
	attacker_open(world);
	for (size_t i = 0; i < scenario->disturbance_count; i++)
		queue_add(&world->queue, scenario->disturbances[i].at_ns, EVENT_DISTURBANCE, (uint32_t)i);
	if (checked) {
		world->check = check_open(world);
		queue_add(&world->queue, audit_interval_ns(world), EVENT_AUDIT, 0);
	}
}

void world_close(struct world *world)
{
	for (size_t i = 0; i < world->host_count; i++)
		host_close(&world->hosts[i]);
	attacker_close(world);
	free(world->hosts);
	queue_close(&world->queue);
	if (world->check != NULL)
		check_close(world->check);
}

static void audit(struct world *world)
{
	check_audit(world);
	queue_add(&world->queue, world->now_ns + audit_interval_ns(world), EVENT_AUDIT, 0);
}

static void happen(struct world *world, const struct event *event)
{
	switch (event->kind) {
	case EVENT_FLIGHT:
		host_arrived(&world->hosts[event->subject], &event->flight);
		break;
	case EVENT_WAKE:
		host_wake(&world->hosts[event->subject]);
		break;
	case EVENT_RESUME:
		host_resume(&world->hosts[event->subject]);
		break;
	case EVENT_START:
		host_start(&world->hosts[event->subject]);
		break;
	case EVENT_DISTURBANCE:
		disturb(world, &world->scenario->disturbances[event->subject]);
		break;
	case EVENT_AUDIT:
		audit(world);
		break;
	case EVENT_ATTACK:
		attacker_strikes(world);
		break;
	}
}

bool world_step(struct world *world, int64_t until_ns)
{
	struct event event;
	int64_t at_ns;

	if (!queue_next_time(&world->queue, &at_ns) || at_ns > until_ns)
		return false;
	queue_take(&world->queue, &event);
	world->now_ns = at_ns;
	world->events++;
	happen(world, &event);
	return true;
}

void world_run(struct world *world, int64_t until_ns)
{
	while (world_step(world, until_ns))
		if (check_failure(world->check) != NULL)
			return;
	world->now_ns = until_ns;
}

size_t world_servers(const struct world *world, size_t unit)
{
	size_t count = 0;

	for (size_t i = 0; i < world->scenario->host_count; i++)
		count += host_serves(&world->hosts[i], unit);
	return count;
}
