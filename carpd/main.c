/*
 * carpd: options, and the order in which things start.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "carpd/keeper/clean.h"
#include "carpd/config/config.h"
#include "carpd/config/config_report.h"
#include "carpd/keeper/keeper.h"
#include "linux/sandbox.h"
#include "carpd/log/log.h"
#include "preview.h"
#include "run.h"
#include "usage.h"

#define DEFAULT_PATH "/etc/carpd/carpd.conf"

static void print_help(FILE *out)
{
	fputs("usage: carpd [-f FILE]              serve the groups of FILE (" DEFAULT_PATH ")\n"
	      "       carpd -n [-v] [-f FILE]      check FILE; -v prints it back, complete\n"
	      "       carpd run OPTIONS ADDRESS... serve one group without a file; see carpd run --help\n"
	      "       carpd --clean                remove what a killed run left in the kernel\n"
	      "       carpd --version | --help\n"
	      "\n"
	      "carpd stays in the foreground and logs to standard error.  SIGHUP reads FILE again,\n"
	      "SIGTERM hands over and stops.  Ask it with carpctl(8).\n",
	      out);
}

static struct config *load(const char *path, FILE *errors)
{
	struct config *config = config_load(path, errors);

	if (config == NULL && strcmp(path, DEFAULT_PATH) == 0 && access(path, F_OK) < 0)
		fputs("carpd: begin with a copy of " EXAMPLE_PATH ", or name another file with -f;\n"
		      "\"carpd run\" serves one group without a file, see \"carpd run --help\"\n",
		      errors);
	return config;
}

/* What is wrong goes to the log, where a service has its priority. */
static struct config *load_to_serve(const char *path)
{
	char *text = NULL;
	size_t length = 0;
	FILE *errors = open_memstream(&text, &length);

	if (errors == NULL)
		return load(path, stderr);
	struct config *config = load(path, errors);
	fclose(errors);
	log_lines(config == NULL ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, text);
	free(text);
	return config;
}

static int check(const char *path, bool print)
{
	struct config *config = load(path, stderr);

	if (config == NULL)
		return EXIT_FAILURE;
	if (print)
		config_print(config, CONFIG_HIDE_SECRETS, stdout);
	preview_print(config, path, stderr);
	return EXIT_SUCCESS;
}

static int serve(const char *path)
{
	sandbox_hide_memory();
	struct config *config = load_to_serve(path);
	return config == NULL ? EX_CONFIG : keeper_run(config, path);
}

static int run_group(int argc, char **argv)
{
	struct config *config;

	sandbox_hide_memory();
	int status = run_config(argc, argv, &config);

	return config == NULL ? status : keeper_run(config, NULL);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	        {"file", required_argument, NULL, 'f'},
	        {"check", no_argument, NULL, 'n'},
	        {"verbose", no_argument, NULL, 'v'},
	        {"clean", no_argument, NULL, 'c'},
	        {"version", no_argument, NULL, 'V'},
	        {"help", no_argument, NULL, 'h'},
	        {NULL, 0, NULL, 0},
	};
	const char *path = DEFAULT_PATH;
	bool check_only = false, print = false, clean = false;
	char shown[CONFIG_QUOTE_MAX];
	int option;

	log_open();
	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return run_group(argc - 1, argv + 1);
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":f:nvVh", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			path = optarg;
			break;
		case 'n':
			check_only = true;
			break;
		case 'v':
			print = true;
			break;
		case 'c':
			clean = true;
			break;
		case 'V':
			puts("carpd " CARPD_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			print_help(stdout);
			return EXIT_SUCCESS;
		default:
			usage_explain("carpd", options, option, argv);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "carpd: unexpected %s; \"carpd --help\" lists what there is\n",
		        config_quote(argv[optind], shown));
		return 2;
	}
	if (print && !check_only) {
		fputs("carpd: -v goes with -n; without it carpd would begin to serve\n", stderr);
		return 2;
	}
	if (clean)
		return clean_run();
	return check_only ? check(path, print) : serve(path);
}
