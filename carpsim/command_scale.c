/*
 * How much memory and time many hosts and groups take.  Looks at a real clock, to
 * measure; nothing that happens depends on it.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "commands.h"
#include "memory.h"
#include "world.h"

#define HOSTS_OF_A_SITE 2

static int64_t read_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void make_site(struct scenario *scenario, int64_t groups)
{
	scenario_clear(scenario);
	scenario->seed = 1;
	scenario->host_count = HOSTS_OF_A_SITE;
	scenario->hosts[1].advskew = 100;
	scenario->group_count = (size_t)groups;
	scenario->delay_ns = 100 * NS_PER_US;
	scenario->jitter_ns = 100 * NS_PER_US;
}

static size_t count_masters(const struct world *world)
{
	size_t masters = 0;

	for (size_t i = 0; i < world->host_count; i++)
		for (size_t g = 0; g < world->scenario->group_count; g++)
			masters += host_serves(&world->hosts[i], g);
	return masters;
}

static int measure(int64_t sites, int64_t groups, int64_t seconds)
{
	static struct scenario scenario;
	struct world world;
	struct rusage usage;

	make_site(&scenario, groups);
	int64_t start_ns = read_clock_ns();
	world_open(&world, &scenario, (size_t)sites, false);
	int64_t settle_ns = 3 * scenario_patience_ns(&scenario);
	world_run(&world, settle_ns);
	int64_t settled_ns = read_clock_ns();
	uint64_t events = world.events;
	world_run(&world, settle_ns + seconds * NS_PER_S);
	int64_t end_ns = read_clock_ns();
	size_t masters = count_masters(&world);
	getrusage(RUSAGE_SELF, &usage);
	printf("%zu hosts, %" PRId64 " groups on %" PRId64 " segments\n", world.host_count, sites * groups,
	       sites);
	printf("state      %zu MiB, %zu bytes a group and host; whole process %ld MiB\n",
	       memory_given() >> 20, memory_given() / (world.host_count * scenario.group_count),
	       usage.ru_maxrss >> 10);
	printf("start      %" PRId64 " ms for the first %" PRId64 " virtual seconds\n",
	       (settled_ns - start_ns) / NS_PER_MS, settle_ns / NS_PER_S);
	printf("running    %" PRId64 " ms a virtual second, %" PRIu64 " events a virtual second\n",
	       (end_ns - settled_ns) / NS_PER_MS / seconds, (world.events - events) / (uint64_t)seconds);
	printf("masters    %zu\n", masters);
	world_close(&world);
	return masters == (size_t)(sites * groups) ? 0 : 1;
}

int command_scale(int argc, char **argv)
{
	static const struct option options[] = {{"hosts", required_argument, NULL, 'n'},
	                                        {"groups", required_argument, NULL, 'g'},
	                                        {"seconds", required_argument, NULL, 's'},
	                                        {0}};
	int64_t hosts = 1000;
	int64_t groups = 100000;
	int64_t seconds = 10;
	bool right = true;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			right &= option_number(optarg, HOSTS_OF_A_SITE, 100000, &hosts);
		else if (option == 'g')
			right &= option_number(optarg, 1, 10000000, &groups);
		else if (option == 's')
			right &= option_number(optarg, 1, 100000, &seconds);
		else
			right = false;
	}
	int64_t sites = hosts / HOSTS_OF_A_SITE;
	if (!right || optind != argc || groups / sites < 1 || groups / sites > GROUPS_MAX) {
		fprintf(stderr,
		        "usage: carpsim scale [--hosts n] [--groups n] [--seconds n]\n"
		        "Hosts come in pairs, each with 1 to %d groups.\n",
		        GROUPS_MAX);
		return 2;
	}
	return measure(sites, groups / sites, seconds);
}
