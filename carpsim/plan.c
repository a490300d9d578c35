#include "plan.h"

#include <stdlib.h>

#include "memory.h"
#include "world.h"

/* Until one host alone answers, and everybody has had time to hear of it. */
static void calm_down(struct world *world)
{
	int64_t patience_ns = scenario_patience_ns(world->scenario);
	/* At any moment of the interval: the crash must not keep step with the adverts. */
	int64_t rest_ns = random_between(&world->random, 2 * patience_ns, 4 * patience_ns);

	world_run(world, world->now_ns + rest_ns);
	while (world_servers(world, 0) != 1)
		(void)world_step(world, INT64_MAX);
}

static struct host *find_server(struct world *world)
{
	struct host *host = world->hosts;

	while (!host_serves(host, 0))
		host++;
	return host;
}

static int64_t crash_once(struct world *world)
{
	calm_down(world);
	struct host *host = find_server(world);
	int64_t start_ns = world->now_ns;
	host_crash(host);
	while (world_servers(world, 0) == 0)
		(void)world_step(world, INT64_MAX);
	int64_t outage_ns = world->now_ns - start_ns;
	host_start(host);
	return outage_ns;
}

static void watch_quiet(struct plan *plan, struct world *world)
{
	int64_t end_ns;

	calm_down(world);
	end_ns = world->now_ns + plan->quiet_ns;
	uint64_t before = world->false_takeovers;
	while (world->now_ns < end_ns) {
		int64_t since_ns = world->now_ns;
		bool doubled = world_servers(world, 0) > 1;
		(void)world_step(world, INT64_MAX);
		if (doubled)
			plan->doubled_ns += world->now_ns - since_ns;
	}
	plan->false_takeovers = world->false_takeovers - before;
}

static int compare(const void *a, const void *b)
{
	const int64_t *one = a;
	const int64_t *other = b;

	return (*one > *other) - (*one < *other);
}

void plan_open(struct plan *plan, const struct scenario *scenario, size_t crashes, int64_t quiet_ns)
{
	struct world world;

	*plan = (struct plan){.crashes = crashes, .quiet_ns = quiet_ns};
	plan->outages_ns = memory_new(crashes, sizeof(plan->outages_ns[0]));
	world_open(&world, scenario, 1, false);
	for (size_t i = 0; i < crashes; i++)
		plan->outages_ns[i] = crash_once(&world);
	watch_quiet(plan, &world);
	world_close(&world);
	qsort(plan->outages_ns, crashes, sizeof(plan->outages_ns[0]), compare);
}

void plan_close(struct plan *plan)
{
	free(plan->outages_ns);
}

int64_t plan_outage_ns(const struct plan *plan, size_t per_thousand)
{
	return plan->outages_ns[(plan->crashes - 1) * per_thousand / 1000];
}
