#include "request.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "carpd/keeper/channel.h"
#include "status.h"

json_t *request_success(void)
{
	return json_pack("{s:b}", "ok", 1);
}

json_t *request_failure(const char *sentence)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", sentence);
}

static json_t *failuref(const char *format, ...) __attribute__((format(printf, 1, 2)));

static json_t *failuref(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	json_t *sentence = json_vsprintf(format, arguments);
	va_end(arguments);
	return json_pack("{s:b, s:o}", "ok", 0, "error", sentence);
}

json_t *request_not_kept(const char *error)
{
	return failuref("maintenance would not survive a restart: %s", error);
}

static struct group *find_group(struct daemon *daemon, const char *name)
{
	for (size_t i = 0; i < daemon->engine->settings->group_count; i++)
		if (strcmp(daemon->engine->settings->groups[i].name, name) == 0)
			return &daemon->engine->groups[i];
	return NULL;
}

static json_t *do_status(struct conversation *conversation, const json_t *request)
{
	(void)request;
	return status_json(conversation->daemon, NULL);
}

static json_t *do_show(struct conversation *conversation, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "group"));
	const struct group *group = name == NULL ? NULL : find_group(conversation->daemon, name);

	if (name == NULL)
		return request_failure("show needs the name of a group");
	return group == NULL ? failuref("there is no group \"%s\"", name)
	                     : status_json(conversation->daemon, group);
}

static json_t *do_log(struct conversation *conversation, const json_t *request)
{
	const json_t *count = json_object_get(request, "count");
	json_int_t wanted = count != NULL ? json_integer_value(count) : HISTORY_MAX;
	char host[256] = "";

	if (wanted < 1)
		return request_failure("count must be a number from 1");
	gethostname(host, sizeof(host) - 1);
	return json_pack("{s:b, s:s, s:o}", "ok", 1, "host", host, "entries",
	                 history_json(&conversation->daemon->history, (size_t)wanted));
}

/* The engine's own reasons and maintenance have their own ways to come and go. */
static bool is_reserved(const char *name)
{
	return strcmp(name, "maintenance") == 0 || strncmp(name, "link ", 5) == 0 ||
	       strncmp(name, "sending ", 8) == 0 || strncmp(name, "addresses ", 10) == 0;
}

/* A name goes to logs and terminals. */
static bool has_control_character(const char *name)
{
	for (; *name != '\0'; name++)
		if ((unsigned char)*name < ' ' || *name == '\x7f')
			return true;
	return false;
}

static json_t *check_reason(const char *name)
{
	if (name == NULL || name[0] == '\0' || strlen(name) >= DEMOTION_NAME_MAX)
		return request_failure("a demotion needs a name of 1 to 47 characters");
	if (has_control_character(name))
		return request_failure("the name of a demotion is one line of text");
	if (is_reserved(name))
		return failuref("\"%s\" is carpd's own reason; choose another name", name);
	return NULL;
}

static json_t *do_demote(struct conversation *conversation, const json_t *request)
{
	struct daemon *daemon = conversation->daemon;
	const char *name = json_string_value(json_object_get(request, "name"));
	const json_t *value = json_object_get(request, "value");
	json_int_t amount = value != NULL ? json_integer_value(value) : 1;
	json_t *error = check_reason(name);

	if (error != NULL)
		return error;
	if (amount < 1 || amount > DEMOTION_SUM_MAX)
		return request_failure("the value of a demotion is 1 to 255");
	if (!engine_demote(daemon->engine, name, (int)amount, daemon->now, INSTANT_NEVER))
		return request_failure("there are 64 demotions already; lift one first");
	return request_success();
}

static json_t *do_undemote(struct conversation *conversation, const json_t *request)
{
	struct daemon *daemon = conversation->daemon;
	const char *name = json_string_value(json_object_get(request, "name"));
	json_t *error = check_reason(name);

	if (error != NULL)
		return error;
	if (!engine_undemote(daemon->engine, name, daemon->now))
		return failuref("this host is not demoted by \"%s\"", name);
	return request_success();
}

static void note_candidates(struct conversation *conversation, struct group *only)
{
	struct daemon *daemon = conversation->daemon;

	conversation->candidates = json_array();
	conversation->not_master = json_array();
	for (size_t i = 0; i < daemon->engine->settings->group_count; i++) {
		struct group *group = &daemon->engine->groups[i];
		if (only != NULL && only != group)
			continue;
		json_array_append_new(group->masters > 0 ? conversation->candidates
		                                         : conversation->not_master,
		                      json_string(group->settings->name));
	}
}

/* With the time until somebody looks, less than carpctl's own. */
#define DISK_PATIENCE_NS (4 * NS_PER_S)

static json_t *do_maintenance(struct conversation *conversation, const json_t *request)
{
	struct daemon *daemon = conversation->daemon;
	const json_t *on = json_object_get(request, "on");

	if (!json_is_boolean(on))
		return request_failure("maintenance needs on: true or false");
	/* In force when it is kept. */
	int error = state_ask_maintenance(&daemon->state, json_is_true(on), &conversation->number);
	if (error < 0)
		return failuref("the keeper does not answer: %s", strerror(-error));
	conversation->waiting = WAITING_FOR_DISK;
	conversation->patient_until = instant_after(daemon->now, DISK_PATIENCE_NS);
	return NULL;
}

json_t *request_go_on_with_maintenance(struct conversation *conversation)
{
	if ((conversation->number & MESSAGE_MAINTENANCE_ON) == 0)
		return request_success();
	note_candidates(conversation, NULL);
	conversation->waiting = WAITING_FOR_HANDOVER;
	return NULL;
}

static json_t *do_handover(struct conversation *conversation, const json_t *request)
{
	struct daemon *daemon = conversation->daemon;
	const json_t *named = json_object_get(request, "group");
	const char *name = json_string_value(named);
	struct group *group = name != NULL ? find_group(daemon, name) : NULL;

	if (named != NULL && name == NULL)
		return request_failure("group is the name of a group, a string");
	if (name != NULL && group == NULL)
		return failuref("there is no group \"%s\"", name);
	note_candidates(conversation, group);
	engine_hand_over(daemon->engine, group, daemon->now);
	conversation->waiting = WAITING_FOR_HANDOVER;
	return NULL;
}

static json_t *do_reload(struct conversation *conversation, const json_t *request)
{
	(void)request;
	int error = conversation->requests->reload(conversation->daemon, &conversation->number);
	if (error < 0)
		return failuref("the keeper does not answer: %s", strerror(-error));
	conversation->waiting = WAITING_FOR_RELOAD;
	return NULL;
}

#define MEMBERS_MAX 2

/* NULL as an answer: it comes later. */
static const struct word {
	const char *word;
	bool acts;
	json_t *(*run)(struct conversation *conversation, const json_t *request);
	const char *members[MEMBERS_MAX];
} words[] = {
        {"status", false, do_status, {NULL}},       {"show", false, do_show, {"group"}},
        {"log", false, do_log, {"count"}},          {"demote", true, do_demote, {"name", "value"}},
        {"undemote", true, do_undemote, {"name"}},  {"maintenance", true, do_maintenance, {"on"}},
        {"handover", true, do_handover, {"group"}}, {"reload", true, do_reload, {NULL}},
};

static bool takes(const struct word *word, const char *member)
{
	if (strcmp(member, "do") == 0)
		return true;
	for (size_t i = 0; i < MEMBERS_MAX && word->members[i] != NULL; i++)
		if (strcmp(word->members[i], member) == 0)
			return true;
	return false;
}

/* A misspelt "group" must not become a request for all of them. */
static json_t *check_members(const struct word *word, json_t *request)
{
	for (void *at = json_object_iter(request); at != NULL; at = json_object_iter_next(request, at))
		if (!takes(word, json_object_iter_key(at)))
			return failuref("%s does not take \"%s\"", word->word, json_object_iter_key(at));
	return NULL;
}

json_t *request_run(struct conversation *conversation, json_t *request)
{
	const char *wanted = json_string_value(json_object_get(request, "do"));

	if (wanted == NULL)
		return request_failure("a request is an object with \"do\"");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, wanted) != 0)
			continue;
		if (words[i].acts && !conversation->may_act)
			return failuref("%s is for root and members of the group carpd-admin", wanted);
		json_t *error = check_members(&words[i], request);
		return error != NULL ? error : words[i].run(conversation, request);
	}
	return failuref("unknown request \"%s\"", wanted);
}

static bool handing_over(const struct group *group)
{
	for (size_t i = 0; i < group->node_count; i++)
		if (group->nodes[i].vhost.handover.active)
			return true;
	return false;
}

bool request_handover_is_over(const struct conversation *conversation)
{
	const json_t *name;
	size_t i;

	/* By name: a reload makes other groups, and one may be gone. */
	json_array_foreach(conversation->candidates, i, name)
	{
		const struct group *group = find_group(conversation->daemon, json_string_value(name));
		if (group != NULL && handing_over(group))
			return false;
	}
	return true;
}

json_t *request_finish_handover(struct conversation *conversation)
{
	struct daemon *daemon = conversation->daemon;
	json_t *handed_over = json_array(), *kept = json_array();
	const json_t *name;
	size_t i;

	json_array_foreach(conversation->candidates, i, name)
	{
		const struct group *group = find_group(daemon, json_string_value(name));
		if (group != NULL && group->masters > 0)
			json_array_append_new(kept, json_pack("{s:s, s:s}", "group", json_string_value(name),
			                                      "why", "nobody took over"));
		else
			json_array_append_new(handed_over, json_string(json_string_value(name)));
	}
	json_t *answer = json_pack("{s:b, s:o, s:o, s:o}", "ok", 1, "handed_over", handed_over, "kept", kept,
	                           "not_master", conversation->not_master);
	json_decref(conversation->candidates);
	conversation->candidates = conversation->not_master = NULL;
	return answer;
}
