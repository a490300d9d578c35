/*
 * carpd: options, and the order in which things start.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clean.h"
#include "config.h"
#include "keeper.h"
#include "log.h"
#include "quick.h"

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

static int check(const char *path, bool print)
{
	struct config *config = config_load(path, stderr);

	if (config == NULL)
		return EXIT_FAILURE;
	if (print)
		config_print(config, CONFIG_HIDE_SECRETS, stdout);
	config_free(config);
	return EXIT_SUCCESS;
}

static int serve(const char *path)
{
	struct config *config = config_load(path, stderr);

	return config == NULL ? EXIT_FAILURE : keeper_run(config, path);
}

static int run_quick(int argc, char **argv)
{
	struct config *config;
	int status = quick_config(argc, argv, &config);

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
	bool check_only = false, print = false;
	int option;

	log_open();
	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return run_quick(argc - 1, argv + 1);
	while ((option = getopt_long(argc, argv, "f:nvVh", options, NULL)) != -1) {
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
			return clean_run();
		case 'V':
			puts("carpd " CARPD_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			print_help(stdout);
			return EXIT_SUCCESS;
		default:
			print_help(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "carpd: unexpected \"%s\"\n", argv[optind]);
		print_help(stderr);
		return 2;
	}
	return check_only ? check(path, print) : serve(path);
}
