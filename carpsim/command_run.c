#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "world.h"

#define HOURS_MAX 1000
#define NS_PER_H  (3600 * NS_PER_S)
#define MS_PER_H  3600000

struct request {
	int64_t seed;
	int64_t limit_ns;
	const char *file;
};

bool option_number(const char *text, int64_t least, int64_t most, int64_t *ret_value)
{
	char *end;
	int64_t value = strtoll(text, &end, 10);

	if (end == text || *end != '\0' || value < least || value > most)
		return false;
	*ret_value = value;
	return true;
}

static bool read_request(int argc, char **argv, struct request *ret_request)
{
	static const struct option options[] = {{"seed", required_argument, NULL, 's'},
	                                        {"hours", required_argument, NULL, 'h'},
	                                        {"scenario", required_argument, NULL, 'f'},
	                                        {0}};
	struct request request = {.seed = 1, .limit_ns = 24 * NS_PER_H};
	int64_t hours;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			if (!option_number(optarg, 0, INT64_MAX, &request.seed))
				return false;
			break;
		case 'h':
			if (!option_number(optarg, 1, HOURS_MAX, &hours))
				return false;
			request.limit_ns = hours * NS_PER_H;
			break;
		case 'f':
			request.file = optarg;
			break;
		default:
			return false;
		}
	}
	*ret_request = request;
	return optind == argc;
}

static bool read_scenario(const char *path, struct scenario *ret_scenario)
{
	FILE *file = fopen(path, "r");
	int line;

	if (file == NULL) {
		fprintf(stderr, "carpsim: cannot open %s\n", path);
		return false;
	}
	line = scenario_read(ret_scenario, file);
	fclose(file);
	if (line != 0)
		fprintf(stderr, "carpsim: %s:%d: not understood\n", path, line);
	return line == 0;
}

static bool find_scenario(int argc, char **argv, struct scenario *ret_scenario)
{
	struct request request;

	if (!read_request(argc, argv, &request)) {
		fprintf(stderr, "usage: carpsim %s [--seed number] [--hours number] [--scenario file]\n",
		        argv[0]);
		return false;
	}
	if (request.file != NULL)
		return read_scenario(request.file, ret_scenario);
	scenario_make(ret_scenario, (uint64_t)request.seed, request.limit_ns);
	return true;
}

static int run(const struct scenario *scenario, FILE *lines)
{
	struct world world;

	world_open(&world, scenario, 1, true);
	world.trace.lines = lines;
	world_run(&world, scenario->duration_ns);
	const char *failure = check_failure(world.check);
	printf("%zu hosts, %" PRId64 " s, %" PRIu64 " events, trace %016" PRIx64 "\n", scenario->host_count,
	       scenario->duration_ns / NS_PER_S, world.events, world.trace.hash);
	if (failure != NULL)
		printf("FAILED at %s\n", failure);
	int status = failure != NULL ? 1 : 0;
	world_close(&world);
	return status;
}

static int command_run_with(int argc, char **argv, FILE *lines)
{
	static struct scenario scenario;

	return find_scenario(argc, argv, &scenario) ? run(&scenario, lines) : 2;
}

int command_run(int argc, char **argv)
{
	return command_run_with(argc, argv, NULL);
}

int command_trace(int argc, char **argv)
{
	return command_run_with(argc, argv, stdout);
}

int command_script(int argc, char **argv)
{
	static struct scenario scenario;

	if (!find_scenario(argc, argv, &scenario))
		return 2;
	scenario_write(&scenario, stdout);
	return 0;
}
