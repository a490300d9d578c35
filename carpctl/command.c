#include "carpctl/command.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carpctl/answer.h"
#include "carpctl/print.h"
#include "carpctl/request.h"
#include "carpctl/when.h"

/* It answers when another host has taken over, or did not within handover-wait, which is at most 60 s. */
#define TIMEOUT_HANDOVER_S 75
/* It waits for groups that leave to hand over, and before that for those of a reload that is under way. */
#define TIMEOUT_RELOAD_S (2 * TIMEOUT_HANDOVER_S)
#define TIMEOUT_S        10

static int complain(const char *text)
{
	fprintf(stderr, "carpctl: %s\n", text);
	return EXIT_USAGE;
}

static void explain(int error, const char *path, int timeout_s)
{
	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		fprintf(stderr, "carpd is not running: nobody listens on %s\n", path);
		break;
	case -EACCES:
	case -EPERM:
		fprintf(stderr, "carpd cannot be asked: you have no permission to use %s\n", path);
		break;
	case -ENOTSOCK:
	case -EPROTOTYPE:
		fprintf(stderr, "carpd cannot be asked: %s is not its control socket\n", path);
		break;
	case -ENAMETOOLONG:
		fprintf(stderr, "carpd cannot be asked: the path of a socket has at most 107 bytes\n");
		break;
	case -ETIMEDOUT:
		fprintf(stderr, "carpd does not answer: waited %d s on %s\n", timeout_s, path);
		break;
	case -ENODATA:
		fprintf(stderr, "carpd hung up without an answer on %s\n", path);
		break;
	case -EPROTO:
		fprintf(stderr, "carpd hung up in the middle of its answer on %s\n", path);
		break;
	case -EMSGSIZE:
		fprintf(stderr, "carpd's answer makes no sense: longer than %u MiB\n",
		        REQUEST_ANSWER_MAX >> 20);
		break;
	default:
		fprintf(stderr, "carpd cannot be asked over %s: %s\n", path, strerror(-error));
		break;
	}
}

static int talk(const struct options *options, const json_t *request, int timeout_s, char **ret_line,
                size_t *ret_length)
{
	char *text = json_dumps(request, JSON_COMPACT), *line;
	int error = text && asprintf(&line, "%s\n", text) >= 0 ? 0 : -ENOMEM;

	free(text);
	if (options->timeout_s > 0)
		timeout_s = options->timeout_s;
	if (error == 0) {
		error = request_exchange(options->socket_path, line, timeout_s, ret_line, ret_length);
		free(line);
	}
	if (error < 0)
		explain(error, options->socket_path, timeout_s);
	return error;
}

/* Every answer is an object that says whether it went well; anything else is not carpd's. */
static json_t *parse(const char *line, size_t length)
{
	json_t *answer = json_loadb(line, length, 0, NULL);

	if (json_is_object(answer) && json_is_boolean(json_object_get(answer, "ok")) &&
	    answer_escape(answer) == 0)
		return answer;
	json_decref(answer);
	fprintf(stderr, "carpd's answer makes no sense: it is not as in carpctl(8)\n");
	return NULL;
}

/* Takes the request.  On EXIT_WELL there is an answer to read and to release. */
static int ask_within(const struct options *options, int timeout_s, json_t *request, json_t **ret_answer)
{
	char *line;
	size_t length;
	json_t *answer;
	int error;

	if (!request)
		return complain("arguments must be valid UTF-8");
	error = talk(options, request, timeout_s, &line, &length);
	json_decref(request);
	if (error < 0)
		return EXIT_UNREACHABLE;

	answer = parse(line, length);
	if (answer && options->json) {
		fwrite(line, 1, length, stdout);
		putchar('\n');
	}
	free(line);
	if (!answer)
		return EXIT_UNREACHABLE;
	if (answer_is_true(answer, "ok")) {
		*ret_answer = answer;
		return EXIT_WELL;
	}
	if (!options->json)
		fprintf(stderr, "carpctl: %s\n", answer_text(answer, "error"));
	json_decref(answer);
	return EXIT_WRONG;
}

static int ask(const struct options *options, json_t *request, json_t **ret_answer)
{
	return ask_within(options, TIMEOUT_S, request, ret_answer);
}

/* An action's answer says nothing but that it went well: the sentence tells what holds now. */
__attribute__((format(printf, 4, 5))) static int act_within(const struct options *options, int timeout_s,
                                                            json_t *request, const char *sentence, ...)
{
	va_list arguments;
	json_t *answer;
	int result = ask_within(options, timeout_s, request, &answer);

	if (result != EXIT_WELL)
		return result;
	json_decref(answer);
	if (options->json)
		return EXIT_WELL;
	va_start(arguments, sentence);
	vprintf(sentence, arguments);
	va_end(arguments);
	return EXIT_WELL;
}

static int missing(const char *member)
{
	fprintf(stderr, "carpd's answer makes no sense: it has no %s\n", member);
	return EXIT_UNREACHABLE;
}

static bool is_list_of_objects(const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (!json_is_object(item))
			return false;
	}
	return json_is_array(list);
}

int command_status(const struct options *options, char **arguments)
{
	json_t *answer;
	int result = ask(options, json_pack("{s:s}", "do", "status"), &answer);

	(void)arguments;
	if (result != EXIT_WELL)
		return result;
	if (!is_list_of_objects(json_object_get(answer, "groups"))) {
		result = missing("groups");
	} else {
		if (!options->json)
			print_status(options->terminal, answer);
		result = answer_is_true(answer, "healthy") ? EXIT_WELL : EXIT_WRONG;
	}
	json_decref(answer);
	return result;
}

int command_show(const struct options *options, char **arguments)
{
	json_t *answer, *group;
	int result = ask(options, json_pack("{s:s, s:s}", "do", "show", "group", arguments[0]), &answer);

	if (result != EXIT_WELL)
		return result;
	group = json_array_get(json_object_get(answer, "groups"), 0);
	if (!json_is_object(group)) {
		result = missing("group");
	} else {
		if (!options->json)
			print_show(options->terminal, answer, group);
		if (!answer_is_true(answer, "healthy") || strcmp(answer_text(group, "state"), "init") == 0 ||
		    json_array_size(json_object_get(group, "problems")) > 0)
			result = EXIT_WRONG;
	}
	json_decref(answer);
	return result;
}

int command_log(const struct options *options, char **arguments)
{
	json_t *answer, *entries, *request = json_pack("{s:s}", "do", "log");
	int result;

	(void)arguments;
	if (request && options->log_count > 0)
		json_object_set_new(request, "count", json_integer(options->log_count));
	result = ask(options, request, &answer);
	if (result != EXIT_WELL)
		return result;
	entries = json_object_get(answer, "entries");
	if (!is_list_of_objects(entries))
		result = missing("entries");
	else if (!options->json)
		print_log(options->terminal, entries);
	json_decref(answer);
	return result;
}

int command_demote(const struct options *options, char **arguments)
{
	char *end;
	long value = 1;

	if (arguments[1]) {
		value = strtol(arguments[1], &end, 10);
		if (*arguments[1] == '\0' || *end != '\0' || value < 1 || value > 255)
			return complain("the value of a demotion is a number from 1 to 255");
	}
	return act_within(
	        options, TIMEOUT_S,
	        json_pack("{s:s, s:s, s:i}", "do", "demote", "name", arguments[0], "value", (int)value),
	        "this host is demoted until \"carpctl undemote %s\"\n", arguments[0]);
}

int command_undemote(const struct options *options, char **arguments)
{
	return act_within(options, TIMEOUT_S, json_pack("{s:s, s:s}", "do", "undemote", "name", arguments[0]),
	                  "%s demotes this host no longer\n", arguments[0]);
}

static void print_handover(const json_t *answer)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(answer, "handed_over"), i, item)
	{
		printf("%s handed over\n", answer_item(item));
	}
	json_array_foreach(json_object_get(answer, "kept"), i, item)
	{
		printf("%s kept: %s\n", answer_text(item, "group"), answer_text(item, "why"));
	}
	json_array_foreach(json_object_get(answer, "not_master"), i, item)
	{
		printf("%s left alone: this host is not its master\n", answer_item(item));
	}
}

/* One that is on and has moved nothing is no success. */
static int end_handover(json_t *answer)
{
	int result = json_array_size(json_object_get(answer, "kept")) > 0 ? EXIT_WRONG : EXIT_WELL;

	json_decref(answer);
	return result;
}

int command_maintenance(const struct options *options, char **arguments)
{
	bool on = strcmp(arguments[0], "on") == 0;
	json_t *answer;

	if (!on && strcmp(arguments[0], "off") != 0)
		return complain("maintenance is either on or off");
	int result = ask_within(options, TIMEOUT_HANDOVER_S,
	                        json_pack("{s:s, s:b}", "do", "maintenance", "on", on), &answer);
	if (result != EXIT_WELL)
		return result;
	if (!options->json) {
		printf("maintenance is %s\n",
		       on ? "on, also after a restart, until \"carpctl maintenance off\"" : "off");
		print_handover(answer);
	}
	return end_handover(answer);
}

int command_handover(const struct options *options, char **arguments)
{
	json_t *answer, *request = json_pack("{s:s, s:s*}", "do", "handover", "group", arguments[0]);
	int result = ask_within(options, TIMEOUT_HANDOVER_S, request, &answer);

	if (result != EXIT_WELL)
		return result;
	if (!options->json)
		print_handover(answer);
	return end_handover(answer);
}

int command_reload(const struct options *options, char **arguments)
{
	(void)arguments;
	return act_within(options, TIMEOUT_RELOAD_S, json_pack("{s:s}", "do", "reload"),
	                  "the new configuration is in force\n");
}

/* The daemon that runs may be older than the one that is installed. */
int command_version(const struct options *options, char **arguments)
{
	json_t *answer;
	char span[WHEN_TEXT_BYTES];
	int result;

	(void)arguments;
	if (!options->json)
		printf("carpctl %s\n", CARPD_VERSION);
	fflush(stdout);
	result = ask(options, json_pack("{s:s}", "do", "status"), &answer);
	if (result != EXIT_WELL)
		return result;
	if (!options->json)
		printf("carpd %s, up %s\n", answer_text(answer, "version"),
		       when_span(answer_seconds(answer, "up_s"), span));
	json_decref(answer);
	return EXIT_WELL;
}
