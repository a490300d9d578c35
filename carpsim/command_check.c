#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "commands.h"
#include "world.h"

#define NS_PER_H      (3600 * NS_PER_S)
#define FAILURES_MAX  10 /* enough to look at */
#define RUN_LIMIT_NS  (4 * NS_PER_H)
#define DEFAULT_HOURS 10000

struct tally {
	uint64_t seeds;
	uint64_t failed;
	uint64_t events;
	int64_t host_ns; /* virtual time, of each host */
	uint64_t hash;   /* of all traces */
};

static void run_seed(uint64_t seed, struct tally *tally)
{
	static struct scenario scenario;
	struct world world;

	scenario_make(&scenario, seed, RUN_LIMIT_NS);
	world_open(&world, &scenario, 1, true);
	world_run(&world, scenario.duration_ns);
	tally->seeds++;
	tally->events += world.events;
	tally->host_ns += world.now_ns * (int64_t)scenario.host_count;
	tally->hash = tally->hash * UINT64_C(0x9e3779b97f4a7c15) + world.trace.hash;
	if (check_failure(world.check) != NULL) {
		tally->failed++;
		printf("seed %" PRIu64 " failed at %s\n", seed, check_failure(world.check));
		fflush(stdout);
	}
	world_close(&world);
}

/* Which seed it was is printed, as any. */
static bool read_seed(const char *text, int64_t *ret_seed)
{
	uint32_t fresh;

	if (strcmp(text, "random") != 0)
		return option_number(text, 0, INT64_MAX / 2, ret_seed);
	if (getrandom(&fresh, sizeof(fresh), 0) != sizeof(fresh))
		return false;
	*ret_seed = fresh;
	return true;
}

int command_check(int argc, char **argv)
{
	static const struct option options[] = {
	        {"hours", required_argument, NULL, 'h'}, {"seed", required_argument, NULL, 's'}, {0}};
	int64_t hours = DEFAULT_HOURS;
	int64_t seed = 1;
	struct tally tally = {0};
	bool right = true;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			right &= option_number(optarg, 1, 1000000, &hours);
		else if (option == 's')
			right &= read_seed(optarg, &seed);
		else
			right = false;
	}
	if (!right || optind != argc) {
		fputs("usage: carpsim check [--hours number] [--seed first | random]\n", stderr);
		return 2;
	}
	while (tally.host_ns / NS_PER_H < hours && tally.failed < FAILURES_MAX)
		run_seed((uint64_t)seed + tally.seeds, &tally);
	printf("seeds %" PRId64 " to %" PRId64 ": %" PRId64 " virtual host-hours, %" PRIu64
	       " events, %" PRIu64 " failed, trace %016" PRIx64 "\n",
	       seed, seed + (int64_t)tally.seeds - 1, tally.host_ns / NS_PER_H, tally.events, tally.failed,
	       tally.hash);
	return tally.failed > 0 ? 1 : 0;
}
