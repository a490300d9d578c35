#include <stdio.h>
#include <string.h>

#include "commands.h"

static const struct {
	const char *word;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
        {"run", command_run, "run one scenario, made from a seed or read from a file"},
        {"trace", command_trace, "the same, and print what happens"},
        {"script", command_script, "print the scenario that a seed makes"},
        {"check", command_check, "run scenarios of many seeds until enough host-hours are done"},
        {"plan", command_plan, "how long are outages, how often false takeovers"},
        {"scale", command_scale, "measure memory and time with many hosts and groups"},
};

static int usage(FILE *file)
{
	fputs("usage: carpsim word [option ...]\n", file);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(file, "  %-8s %s\n", commands[i].word, commands[i].help);
	return file == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return usage(stdout);
	if (strcmp(argv[1], "--version") == 0) {
		puts("carpsim " CARPD_VERSION);
		return 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].word) == 0)
			return commands[i].run(argc - 1, argv + 1);
	return usage(stderr);
}
