#include "control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <jansson.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "status.h"

#define REQUEST_BYTES_MAX 4096
#define LOOKERS_MAX       32 /* those who only look cannot take the places of those who act */
#define ACTORS_MAX        32
#define CLIENTS_MAX       (LOOKERS_MAX + ACTORS_MAX)
#define IDLE_S            60 /* a client that neither asks nor reads for so long is let go */

/*
 * After each request the clients rest for four times as long as it took, so that
 * all of them together cost a fifth of the time.  The engine may run in real time,
 * above everything else on its CPU, and anybody on the host may ask.
 */
#define REST_SHARE  4
#define REST_MIN_NS NS_PER_MS

enum waiting {
	WAITING_FOR_NOTHING,
	WAITING_FOR_HANDOVER,
	WAITING_FOR_RELOAD,
};

struct client {
	struct control *control;
	struct bufferevent *stream;
	bool may_act;
	bool finished; /* asks nothing new, and may still read what it asked for */
	bool hung_up;
	enum waiting waiting;
	const struct group *group; /* of the hand-over; NULL: all */
	json_t *candidates;        /* names of the groups that were master when it began */
	json_t *not_master;
};

struct control {
	struct daemon *daemon;
	struct evconnlistener *listener;
	struct control_requests requests;
	struct event *turn;
	int64_t rest_until_ns;
	struct client *clients[CLIENTS_MAX]; /* NULL: a free place; first the lookers' */
	size_t served;                       /* the place of the last one */
};

#define PEER_GROUPS_MAX 256

static bool in_group(int fd, gid_t primary, gid_t wanted)
{
	gid_t groups[PEER_GROUPS_MAX];
	socklen_t length = sizeof(groups);

	if (wanted == GROUP_NOBODY_IS_IN)
		return false;
	if (primary == wanted)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0)
		return false;
	for (size_t i = 0; i < length / sizeof(groups[0]); i++)
		if (groups[i] == wanted)
			return true;
	return false;
}

static bool may_act(int fd, gid_t admins)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return false;
	return peer.uid == 0 || in_group(fd, peer.gid, admins);
}

static void answer(struct client *client, json_t *json)
{
	struct evbuffer *output = bufferevent_get_output(client->stream);
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

	if (text == NULL)
		evbuffer_add_printf(output, "{\"ok\":false,\"error\":\"out of memory\"}\n");
	else
		evbuffer_add_printf(output, "%s\n", text);
	free(text);
	json_decref(json);
}

static json_t *success(void)
{
	return json_pack("{s:b}", "ok", 1);
}

static json_t *failure(const char *sentence)
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

static struct group *find_group(struct daemon *daemon, const char *name)
{
	for (size_t i = 0; i < daemon->engine->settings->group_count; i++)
		if (strcmp(daemon->engine->settings->groups[i].name, name) == 0)
			return &daemon->engine->groups[i];
	return NULL;
}

static json_t *do_status(struct client *client, const json_t *request)
{
	(void)request;
	return status_json(client->control->daemon, NULL);
}

static json_t *do_show(struct client *client, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "group"));
	const struct group *group = name == NULL ? NULL : find_group(client->control->daemon, name);

	if (name == NULL)
		return failure("show needs the name of a group");
	return group == NULL ? failuref("there is no group \"%s\"", name)
	                     : status_json(client->control->daemon, group);
}

static json_t *do_log(struct client *client, const json_t *request)
{
	const json_t *count = json_object_get(request, "count");
	json_int_t wanted = count != NULL ? json_integer_value(count) : HISTORY_MAX;
	char host[256] = "";

	if (wanted < 1)
		return failure("count must be a number from 1");
	gethostname(host, sizeof(host) - 1);
	return json_pack("{s:b, s:s, s:o}", "ok", 1, "host", host, "entries",
	                 history_json(&client->control->daemon->history, (size_t)wanted));
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
		return failure("a demotion needs a name of 1 to 47 characters");
	if (has_control_character(name))
		return failure("the name of a demotion is one line of text");
	if (is_reserved(name))
		return failuref("\"%s\" is carpd's own reason; choose another name", name);
	return NULL;
}

static json_t *do_demote(struct client *client, const json_t *request)
{
	struct daemon *daemon = client->control->daemon;
	const char *name = json_string_value(json_object_get(request, "name"));
	const json_t *value = json_object_get(request, "value");
	json_int_t amount = value != NULL ? json_integer_value(value) : 1;
	json_t *error = check_reason(name);

	if (error != NULL)
		return error;
	if (amount < 1 || amount > DEMOTION_SUM_MAX)
		return failure("the value of a demotion is 1 to 255");
	if (!engine_demote(daemon->engine, name, (int)amount, DEMOTION_EVERYWHERE, daemon->now,
	                   INSTANT_NEVER))
		return failure("there are 64 demotions already; lift one first");
	return success();
}

static json_t *do_undemote(struct client *client, const json_t *request)
{
	struct daemon *daemon = client->control->daemon;
	const char *name = json_string_value(json_object_get(request, "name"));
	json_t *error = check_reason(name);

	if (error != NULL)
		return error;
	if (!engine_undemote(daemon->engine, name, daemon->now))
		return failuref("this host is not demoted by \"%s\"", name);
	return success();
}

static json_t *do_maintenance(struct client *client, const json_t *request)
{
	struct daemon *daemon = client->control->daemon;
	const json_t *on = json_object_get(request, "on");

	if (!json_is_boolean(on))
		return failure("maintenance needs on: true or false");
	int error = state_set_maintenance(&daemon->state, json_is_true(on));
	if (error < 0)
		return failuref("maintenance would not survive a restart: %s", strerror(-error));
	daemon_set_maintenance(daemon, json_is_true(on));
	return success();
}

static void note_candidates(struct client *client, struct group *only)
{
	struct daemon *daemon = client->control->daemon;

	client->candidates = json_array();
	client->not_master = json_array();
	for (size_t i = 0; i < daemon->engine->settings->group_count; i++) {
		struct group *group = &daemon->engine->groups[i];
		if (only != NULL && only != group)
			continue;
		json_array_append_new(group->masters > 0 ? client->candidates : client->not_master,
		                      json_string(group->settings->name));
	}
}

static json_t *do_handover(struct client *client, const json_t *request)
{
	struct daemon *daemon = client->control->daemon;
	const json_t *named = json_object_get(request, "group");
	const char *name = json_string_value(named);
	struct group *group = name != NULL ? find_group(daemon, name) : NULL;

	if (named != NULL && name == NULL)
		return failure("group is the name of a group, a string");
	if (name != NULL && group == NULL)
		return failuref("there is no group \"%s\"", name);
	note_candidates(client, group);
	engine_hand_over(daemon->engine, group, daemon->now);
	client->waiting = WAITING_FOR_HANDOVER;
	return NULL;
}

static json_t *do_reload(struct client *client, const json_t *request)
{
	(void)request;
	client->waiting = WAITING_FOR_RELOAD;
	client->control->requests.reload(client->control->daemon);
	return NULL;
}

#define MEMBERS_MAX 2

/* NULL as an answer: it comes later. */
static const struct word {
	const char *word;
	bool acts;
	json_t *(*run)(struct client *client, const json_t *request);
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

static json_t *run(struct client *client, json_t *request)
{
	const char *wanted = json_string_value(json_object_get(request, "do"));

	if (wanted == NULL)
		return failure("a request is an object with \"do\"");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, wanted) != 0)
			continue;
		if (words[i].acts && !client->may_act)
			return failuref("%s is for root and members of the group carpd-admin", wanted);
		json_t *error = check_members(&words[i], request);
		return error != NULL ? error : words[i].run(client, request);
	}
	return failuref("unknown request \"%s\"", wanted);
}

static void free_client(struct client *client)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (client->control->clients[i] == client)
			client->control->clients[i] = NULL;
	json_decref(client->candidates);
	json_decref(client->not_master);
	bufferevent_free(client->stream);
	free(client);
}

/* Answers are given in the order of the requests, each when the one before has been read. */
static bool is_answered(const struct client *client)
{
	return client->waiting == WAITING_FOR_NOTHING &&
	       evbuffer_get_length(bufferevent_get_output(client->stream)) == 0;
}

static bool has_request(const struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);

	if (client->hung_up || !is_answered(client))
		return false;
	return evbuffer_get_length(input) > REQUEST_BYTES_MAX ||
	       evbuffer_search_eol(input, NULL, NULL, EVBUFFER_EOL_LF).pos >= 0;
}

/* From the one after the last that was served, so that each comes to its turn. */
static struct client *find_request(const struct control *control, size_t *ret_place)
{
	for (size_t i = 1; i <= CLIENTS_MAX; i++) {
		size_t place = (control->served + i) % CLIENTS_MAX;
		if (control->clients[place] == NULL || !has_request(control->clients[place]))
			continue;
		*ret_place = place;
		return control->clients[place];
	}
	return NULL;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void rest(struct control *control, int64_t used_ns)
{
	int64_t wanted_ns = REST_SHARE * used_ns;

	control->rest_until_ns = now_ns() + (wanted_ns > REST_MIN_NS ? wanted_ns : REST_MIN_NS);
}

static void ask_for_turn(struct control *control)
{
	int64_t left_ns = control->rest_until_ns - now_ns();
	struct timeval delay = {0};

	if (evtimer_pending(control->turn, NULL))
		return;
	if (left_ns > 0) {
		delay.tv_sec = left_ns / NS_PER_S;
		delay.tv_usec = left_ns % NS_PER_S / NS_PER_US;
	}
	evtimer_add(control->turn, &delay);
}

static void hang_up(struct client *client, const char *sentence)
{
	client->hung_up = true;
	bufferevent_disable(client->stream, EV_READ);
	answer(client, failure(sentence));
}

static void serve_line(struct client *client, const char *line, size_t length)
{
	struct control *control = client->control;
	json_t *request = length <= REQUEST_BYTES_MAX ? json_loadb(line, length, 0, NULL) : NULL;

	if (!json_is_object(request)) {
		json_decref(request);
		hang_up(client, "a request is one JSON object on a line of at most 4096 bytes");
		return;
	}
	daemon_read_clock(control->daemon);
	json_t *reply = run(client, request);
	json_decref(request);
	if (reply != NULL)
		answer(client, reply);
	control->requests.settle(control->daemon);
}

static void serve(struct client *client)
{
	size_t length = 0;
	char *line = evbuffer_readln(bufferevent_get_input(client->stream), &length, EVBUFFER_EOL_LF);

	/* NULL: it is too long already, and has no end. */
	serve_line(client, line != NULL ? line : "", length);
	free(line);
}

/* One request of one client, then a rest. */
static void take_turn(evutil_socket_t fd, short what, void *context)
{
	struct control *control = context;
	int64_t began_ns = now_ns();
	size_t place;
	struct client *client = find_request(control, &place);

	(void)fd;
	(void)what;
	evconnlistener_enable(control->listener);
	if (client == NULL)
		return;
	control->served = place;
	serve(client);
	rest(control, now_ns() - began_ns);
	if (find_request(control, &place) != NULL)
		ask_for_turn(control);
}

static void client_readable(struct bufferevent *stream, void *context)
{
	struct client *client = context;

	(void)stream;
	if (has_request(client))
		ask_for_turn(client->control);
}

/* What has been answered is still delivered. */
static void client_has_read(struct bufferevent *stream, void *context)
{
	struct client *client = context;

	(void)stream;
	if (has_request(client))
		ask_for_turn(client->control);
	else if ((client->hung_up || client->finished) && is_answered(client))
		free_client(client);
}

static void client_gone(struct bufferevent *stream, short what, void *context)
{
	struct client *client = context;

	(void)stream;
	if ((what & BEV_EVENT_EOF) != 0)
		client->finished = true;
	/* An end of the requests is none of the answers, and who waits has nothing to say. */
	if ((what & BEV_EVENT_EOF) != 0 && (has_request(client) || !is_answered(client)))
		return;
	if ((what & BEV_EVENT_TIMEOUT) != 0 && client->waiting != WAITING_FOR_NOTHING)
		return;
	free_client(client);
}

static struct client **find_free_place(struct control *control, bool may_act)
{
	for (size_t i = may_act ? LOOKERS_MAX : 0; i < (may_act ? CLIENTS_MAX : LOOKERS_MAX); i++)
		if (control->clients[i] == NULL)
			return &control->clients[i];
	return NULL;
}

static struct client *make_client(struct control *control, int fd)
{
	bool acts = may_act(fd, control->daemon->admins);
	struct client **place = find_free_place(control, acts);
	struct client *client = place != NULL ? calloc(1, sizeof(*client)) : NULL;

	if (client == NULL)
		return NULL;
	client->control = control;
	client->may_act = acts;
	client->stream =
	        bufferevent_socket_new(evconnlistener_get_base(control->listener), fd, BEV_OPT_CLOSE_ON_FREE);
	if (client->stream == NULL) {
		free(client);
		return NULL;
	}
	*place = client;
	return client;
}

static void turn_away(int fd)
{
	static const char sentence[] = "{\"ok\":false,\"error\":\"too many clients; try again\"}\n";

	(void)send(fd, sentence, sizeof(sentence) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void accept_client(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                          int address_length, void *context)
{
	struct control *control = context;
	struct client *client = make_client(control, fd);
	struct timeval idle = {.tv_sec = IDLE_S};

	(void)address;
	(void)address_length;
	/* Connections cost time as requests do. */
	evconnlistener_disable(listener);
	rest(control, 0);
	ask_for_turn(control);
	if (client == NULL) {
		turn_away(fd);
		return;
	}
	bufferevent_priority_set(client->stream, LOOP_PRIORITY_CLIENTS);
	bufferevent_setwatermark(client->stream, EV_READ, 0, 2 * REQUEST_BYTES_MAX);
	bufferevent_set_timeouts(client->stream, &idle, &idle);
	bufferevent_setcb(client->stream, client_readable, client_has_read, client_gone, client);
	bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

struct control *control_open(struct daemon *daemon, struct event_base *base, int listening_fd,
                             const struct control_requests *requests)
{
	struct control *control = calloc(1, sizeof(*control));

	if (control == NULL)
		return NULL;
	control->daemon = daemon;
	control->requests = *requests;
	control->listener =
	        evconnlistener_new(base, accept_client, control, LEV_OPT_CLOSE_ON_EXEC, 0, listening_fd);
	control->turn = evtimer_new(base, take_turn, control);
	if (control->listener == NULL || control->turn == NULL) {
		if (control->listener != NULL)
			evconnlistener_free(control->listener);
		if (control->turn != NULL)
			event_free(control->turn);
		free(control);
		return NULL;
	}
	event_priority_set(control->turn, LOOP_PRIORITY_CLIENTS);
	return control;
}

void control_close(struct control *control)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (control->clients[i] != NULL)
			free_client(control->clients[i]);
	event_free(control->turn);
	evconnlistener_free(control->listener);
	free(control);
}

static bool handing_over(const struct group *group)
{
	for (size_t i = 0; i < group->node_count; i++)
		if (group->nodes[i].vhost.handover.active)
			return true;
	return false;
}

static bool is_over(struct daemon *daemon, const struct group *only)
{
	for (size_t i = 0; i < daemon->engine->settings->group_count; i++) {
		const struct group *group = &daemon->engine->groups[i];
		if ((only == NULL || only == group) && handing_over(group))
			return false;
	}
	return true;
}

static void answer_handover(struct client *client)
{
	struct daemon *daemon = client->control->daemon;
	json_t *handed_over = json_array(), *kept = json_array();
	const json_t *name;
	size_t i;

	json_array_foreach(client->candidates, i, name)
	{
		const struct group *group = find_group(daemon, json_string_value(name));
		if (group != NULL && group->masters > 0)
			json_array_append_new(kept, json_pack("{s:s, s:s}", "group", json_string_value(name),
			                                      "why", "nobody took over"));
		else
			json_array_append_new(handed_over, json_string(json_string_value(name)));
	}
	client->waiting = WAITING_FOR_NOTHING;
	answer(client, json_pack("{s:b, s:o, s:o, s:O}", "ok", 1, "handed_over", handed_over, "kept", kept,
	                         "not_master", client->not_master));
	json_decref(client->candidates);
	json_decref(client->not_master);
	client->candidates = NULL;
	client->not_master = NULL;
}

void control_settle(struct control *control)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = control->clients[i];
		if (client != NULL && client->waiting == WAITING_FOR_HANDOVER &&
		    is_over(control->daemon, client->group))
			answer_handover(client);
	}
}

void control_reloaded(struct control *control, const char *error)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = control->clients[i];
		if (client == NULL || client->waiting != WAITING_FOR_RELOAD)
			continue;
		client->waiting = WAITING_FOR_NOTHING;
		answer(client, error == NULL ? success() : failure(error));
	}
}

void control_forget_groups(struct control *control)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (control->clients[i] != NULL)
			control->clients[i]->group = NULL;
}
