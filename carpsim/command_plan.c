#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "commands.h"
#include "plan.h"

#define NS_PER_H (3600 * NS_PER_S)

struct request {
	struct scenario scenario;
	int64_t crashes;
	int64_t hours;
	const char *svg;
};

/* "0,100": of the hosts one after the other; those left over have the last one, and one more each. */
static bool read_skews(char *text, struct scenario *scenario)
{
	size_t count = 0;
	int64_t value = 0;
	char *rest;

	for (char *word = strtok_r(text, ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest)) {
		if (count == HOSTS_MAX || !option_number(word, 0, 254, &value))
			return false;
		scenario->hosts[count++].advskew = (uint8_t)value;
	}
	for (; count < HOSTS_MAX; count++) {
		value += value < 254;
		scenario->hosts[count].advskew = (uint8_t)value;
	}
	return true;
}

static bool read_option(int option, struct request *request)
{
	struct scenario *scenario = &request->scenario;
	int64_t value = 0;
	bool right = true;

	switch (option) {
	case 'b':
		right = option_number(optarg, 0, 84, &value);
		scenario->advbase = (uint8_t)value;
		break;
	case 'k':
		return read_skews(optarg, scenario);
	case 'l':
		right = option_number(optarg, 0, 90, &value);
		scenario->loss_per_million = value * 10000;
		break;
	case 'n':
		right = option_number(optarg, 2, HOSTS_MAX, &value);
		scenario->host_count = (size_t)value;
		break;
	case 'd':
		right = option_number(optarg, 0, 10000, &value);
		scenario->delay_ns = value * NS_PER_MS;
		break;
	case 's':
		right = option_number(optarg, 0, INT64_MAX, &value);
		scenario->seed = (uint64_t)value;
		break;
	case 'p':
		scenario->preempt = true;
		break;
	case 'c':
		return option_number(optarg, 1, 1000000, &request->crashes);
	case 'h':
		return option_number(optarg, 1, 100000, &request->hours);
	case 'v':
		request->svg = optarg;
		break;
	default:
		return false;
	}
	return right;
}

static bool read_request(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {{"advbase", required_argument, NULL, 'b'},
	                                        {"advskew", required_argument, NULL, 'k'},
	                                        {"loss", required_argument, NULL, 'l'},
	                                        {"hosts", required_argument, NULL, 'n'},
	                                        {"delay", required_argument, NULL, 'd'},
	                                        {"seed", required_argument, NULL, 's'},
	                                        {"preempt", no_argument, NULL, 'p'},
	                                        {"crashes", required_argument, NULL, 'c'},
	                                        {"hours", required_argument, NULL, 'h'},
	                                        {"svg", required_argument, NULL, 'v'},
	                                        {0}};
	char default_skews[] = "0,100";
	int option;

	scenario_clear(&request->scenario);
	request->scenario.seed = 1;
	request->scenario.host_count = 2;
	(void)read_skews(default_skews, &request->scenario);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!read_option(option, request))
			return false;
	request->scenario.jitter_ns = request->scenario.delay_ns;
	return optind == argc;
}

static void describe(const struct scenario *scenario, char *text, size_t room)
{
	int length = snprintf(text, room, "%zu hosts, advbase %u, advskew ", scenario->host_count,
	                      scenario->advbase);

	for (size_t i = 0; i < scenario->host_count; i++)
		length += snprintf(text + length, room - (size_t)length, "%s%u", i > 0 ? "," : "",
		                   scenario->hosts[i].advskew);
	snprintf(text + length, room - (size_t)length, ", %" PRId64 " %% loss",
	         scenario->loss_per_million / 10000);
}

static void print_ms(const char *name, int64_t ns)
{
	printf("  %-8s %8" PRId64 ".%03" PRId64 " ms\n", name, ns / NS_PER_MS, ns % NS_PER_MS / NS_PER_US);
}

/* a for each hour of hours, in thousandths. */
static void print_rate(const char *text, int64_t a, int64_t hours, const char *unit)
{
	int64_t thousandths = a * 1000 / hours;

	printf("%-30s %" PRId64 ".%03" PRId64 " %s\n", text, thousandths / 1000, thousandths % 1000, unit);
}

static void print_plan(const struct plan *plan, const char *title, int64_t hours)
{
	printf("%s\n\noutage after a crash (%zu crashes)\n", title, plan->crashes);
	print_ms("min", plan_outage_ns(plan, 0));
	print_ms("median", plan_outage_ns(plan, 500));
	print_ms("p99", plan_outage_ns(plan, 990));
	print_ms("max", plan_outage_ns(plan, 1000));
	printf("\nwith nothing wrong but the loss (%" PRId64 " hours)\n", hours);
	print_rate("  false takeovers", (int64_t)plan->false_takeovers, hours, "an hour");
	print_rate("  two hosts answer", plan->doubled_ns / NS_PER_MS, hours, "ms an hour");
}

static int draw(const struct plan *plan, const char *title, const char *path)
{
	FILE *file = fopen(path, "w");

	if (file == NULL) {
		fprintf(stderr, "carpsim: cannot write %s: %s\n", path, strerror(errno));
		return 2;
	}
	chart_write(plan, title, file);
	return fclose(file) == 0 ? 0 : 2;
}

int command_plan(int argc, char **argv)
{
	static struct request request = {.crashes = 1000, .hours = 100};
	struct plan plan;
	char title[120];

	if (!read_request(argc, argv, &request)) {
		fputs("usage: carpsim plan [--hosts n] [--advbase s] [--advskew k,...] [--loss percent]\n"
		      "               [--delay ms] [--preempt] [--crashes n] [--hours n] [--seed n] [--svg "
		      "file]\n",
		      stderr);
		return 2;
	}
	describe(&request.scenario, title, sizeof(title));
	plan_open(&plan, &request.scenario, (size_t)request.crashes, request.hours * NS_PER_H);
	print_plan(&plan, title, request.hours);
	int status = request.svg != NULL ? draw(&plan, title, request.svg) : 0;
	plan_close(&plan);
	return status;
}
