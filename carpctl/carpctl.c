#include "carpctl/carpctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carpctl/command.h"
#include "carpctl/key.h"
#include "carpd/config/nearest.h"

static int make_key(const struct options *options, char **arguments);
static int help(const struct options *options, char **arguments);

static const struct command {
	const char *word;
	const char *arguments;
	const char *help;
	int least, most;
	int (*run)(const struct options *options, char **arguments);
} commands[] = {
        {"status", "", "who is master of what, and what is wrong (the default)", 0, 0, command_status},
        {"show", "GROUP", "everything about one group, and why it is as it is", 1, 1, command_show},
        {"log", "[-n COUNT]", "the last transitions and their causes, newest last", 0, 0, command_log},
        {"demote", "NAME [VALUE]", "make this host less wanted, for the reason NAME", 1, 2, command_demote},
        {"undemote", "NAME", "take that reason back", 1, 1, command_undemote},
        {"maintenance", "on|off", "hand all groups over and stay away, also after a restart", 1, 1,
         command_maintenance},
        {"handover", "[GROUP]", "let another host take over, without losing a packet", 0, 1,
         command_handover},
        {"reload", "", "read the configuration file again", 0, 0, command_reload},
        {"key", "FILE", "make a key file for sealed adverts (needs no daemon)", 1, 1, make_key},
        {"version", "", "versions of carpctl and of the carpd that runs", 0, 0, command_version},
        {"help", "", "this text", 0, 0, help},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int help(const struct options *options, char **arguments)
{
	(void)options;
	(void)arguments;
	puts("usage: carpctl [-j] [-s SOCKET] [-t SECONDS] [WORD [ARGUMENT ...]]\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  %-11s %-13s %s\n", commands[i].word, commands[i].arguments, commands[i].help);
	puts("\n"
	     "  -j, --json             the daemon's answer as one line of JSON\n"
	     "  -s, --socket SOCKET    where carpd listens (" SOCKET_PATH_DEFAULT ")\n"
	     "  -t, --timeout SECONDS  how long to wait for it (10; handover 75, reload 150)\n"
	     "  -V, --version          carpctl's own version, without asking\n"
	     "\n"
	     "Everybody may look; to act takes root or the group carpd-admin.\n"
	     "Exit status: 0 all is well, 1 something is wrong, 2 usage, 3 carpd does not answer.");
	return EXIT_WELL;
}

static int make_key(const struct options *options, char **arguments)
{
	int error = key_create(arguments[0]);

	if (error == -EEXIST)
		fprintf(stderr, "carpctl: %s exists already, and a key is never overwritten\n", arguments[0]);
	else if (error < 0)
		fprintf(stderr, "carpctl: cannot make %s: %s\n", arguments[0], strerror(-error));
	if (options->json)
		puts(error < 0 ? "{\"ok\":false}" : "{\"ok\":true}");
	return error < 0 ? EXIT_WRONG : EXIT_WELL;
}

static const struct command *find_command(const char *word)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i].word, word) == 0)
			return &commands[i];
	return NULL;
}

static int complain_of(const char *word)
{
	const char *words[COMMAND_COUNT + 1] = {NULL}, *nearest;

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		words[i] = commands[i].word;
	nearest = nearest_word(word, words);
	if (nearest)
		fprintf(stderr, "carpctl: there is no \"%s\"; did you mean \"%s\"?\n", word, nearest);
	else
		fprintf(stderr, "carpctl: there is no \"%s\"; \"carpctl help\" lists what there is\n", word);
	return EXIT_USAGE;
}

static int run_command(const struct options *options, int count, char **words)
{
	const struct command *command = find_command(count > 0 ? words[0] : "status");
	int arguments = count > 0 ? count - 1 : 0;

	if (!command)
		return complain_of(words[0]);
	if (arguments < command->least || arguments > command->most ||
	    (options->log_count > 0 && command->run != command_log)) {
		fprintf(stderr, "usage: carpctl %s%s%s\n", command->word, *command->arguments ? " " : "",
		        command->arguments);
		return EXIT_USAGE;
	}
	return command->run(options, count > 0 ? words + 1 : words);
}

/* A number of the command line, or 0 (after a complaint) if it is none in 1..most. */
static int parse_number(const char *text, int most, const char *what)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*text != '\0' && *end == '\0' && number >= 1 && number <= most)
		return (int)number;
	fprintf(stderr, "carpctl: %s is a number from 1 to %d, not \"%s\"\n", what, most, text);
	return 0;
}

static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option words[] = {
	        {"socket", required_argument, NULL, 's'}, {"timeout", required_argument, NULL, 't'},
	        {"json", no_argument, NULL, 'j'},         {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, 'V'},      {NULL, 0, NULL, 0},
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "s:t:n:jhV", words, NULL)) != -1) {
		switch (letter) {
		case 's':
			options->socket_path = optarg;
			break;
		case 't':
			options->timeout_s = parse_number(optarg, 3600, "the timeout in seconds");
			if (options->timeout_s == 0)
				exit(EXIT_USAGE);
			break;
		case 'n':
			options->log_count = parse_number(optarg, LOG_COUNT_MAX, "the count of entries");
			if (options->log_count == 0)
				exit(EXIT_USAGE);
			break;
		case 'j':
			options->json = true;
			break;
		case 'h':
			exit(help(options, NULL));
		case 'V':
			puts("carpctl " CARPD_VERSION);
			exit(EXIT_WELL);
		default:
			fputs("\"carpctl help\" lists what there is\n", stderr);
			exit(EXIT_USAGE);
		}
	}
	return optind;
}

int main(int argc, char **argv)
{
	struct options options = {.socket_path = SOCKET_PATH_DEFAULT, .terminal = terminal_look()};
	int first = parse_options(argc, argv, &options);
	int result = run_command(&options, argc - first, argv + first);

	/* A full disk must not look like a healthy host to the script that reads the file. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "carpctl: cannot write: %s\n", strerror(errno));
		return result > EXIT_WRONG ? result : EXIT_WRONG;
	}
	return result;
}
