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
#include <unistd.h>

#include "status.h"

#define REQUEST_BYTES_MAX 4096
#define CLIENTS_MAX       32
#define IDLE_S            60 /* a client that neither asks nor reads for so long is let go */
#define ANSWER_BYTES_MAX  (16 << 20)

enum waiting {
	WAITING_FOR_NOTHING,
	WAITING_FOR_HANDOVER,
	WAITING_FOR_RELOAD,
};

struct client {
	struct control *control;
	struct bufferevent *stream;
	bool may_act;
	enum waiting waiting;
	const struct group *group; /* of the hand-over; NULL: all */
	json_t *candidates;        /* names of the groups that were master when it began */
	json_t *not_master;
};

struct control {
	struct daemon *daemon;
	struct evconnlistener *listener;
	struct control_requests requests;
	struct client *clients[CLIENTS_MAX]; /* NULL: a free place */
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
	return peer.uid == 0 || peer.uid == getuid() || in_group(fd, peer.gid, admins);
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

static json_t *check_reason(const char *name)
{
	if (name == NULL || name[0] == '\0' || strlen(name) >= DEMOTION_NAME_MAX)
		return failure("a demotion needs a name of 1 to 47 characters");
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
	const char *name = json_string_value(json_object_get(request, "group"));
	struct group *group = name != NULL ? find_group(daemon, name) : NULL;

	if (name != NULL && group == NULL)
		return failuref("there is no group \"%s\"", name);
	if (client->waiting != WAITING_FOR_NOTHING)
		return failure("a request of yours is still under way");
	note_candidates(client, group);
	engine_hand_over(daemon->engine, group, daemon->now);
	client->waiting = WAITING_FOR_HANDOVER;
	return NULL;
}

static json_t *do_reload(struct client *client, const json_t *request)
{
	(void)request;
	if (client->waiting != WAITING_FOR_NOTHING)
		return failure("a request of yours is still under way");
	client->waiting = WAITING_FOR_RELOAD;
	client->control->requests.reload(client->control->daemon);
	return NULL;
}

/* NULL as an answer: it comes later. */
static const struct word {
	const char *word;
	bool acts;
	json_t *(*run)(struct client *client, const json_t *request);
} words[] = {
        {"status", false, do_status},    {"show", false, do_show},
        {"log", false, do_log},          {"demote", true, do_demote},
        {"undemote", true, do_undemote}, {"maintenance", true, do_maintenance},
        {"handover", true, do_handover}, {"reload", true, do_reload},
};

static json_t *run(struct client *client, const json_t *request)
{
	const char *wanted = json_string_value(json_object_get(request, "do"));

	if (wanted == NULL)
		return failure("a request is an object with \"do\"");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, wanted) != 0)
			continue;
		if (words[i].acts && !client->may_act)
			return failuref("%s is for root and members of the group carpd-admin", wanted);
		return words[i].run(client, request);
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

/* What has been answered is still delivered. */
static void close_when_written(struct bufferevent *stream, void *context)
{
	(void)stream;
	free_client(context);
}

static void client_gone(struct bufferevent *stream, short what, void *context)
{
	(void)stream;
	(void)what;
	free_client(context);
}

static void hang_up(struct client *client, const char *sentence)
{
	answer(client, failure(sentence));
	bufferevent_disable(client->stream, EV_READ);
	bufferevent_setcb(client->stream, NULL, close_when_written, client_gone, client);
}

/* False if the client is no longer listened to. */
static bool serve_line(struct client *client, const char *line, size_t length)
{
	struct control *control = client->control;
	json_t *request = length <= REQUEST_BYTES_MAX ? json_loadb(line, length, 0, NULL) : NULL;

	if (!json_is_object(request)) {
		json_decref(request);
		hang_up(client, "a request is one JSON object on a line of at most 4096 bytes");
		return false;
	}
	daemon_read_clock(control->daemon);
	json_t *reply = run(client, request);
	json_decref(request);
	if (reply != NULL)
		answer(client, reply);
	control->requests.settle(control->daemon);
	return true;
}

static void client_readable(struct bufferevent *stream, void *context)
{
	struct client *client = context;
	struct evbuffer *input = bufferevent_get_input(stream);
	size_t length;
	char *line;

	while ((line = evbuffer_readln(input, &length, EVBUFFER_EOL_LF)) != NULL) {
		bool more = serve_line(client, line, length);
		free(line);
		if (!more)
			return;
		if (evbuffer_get_length(bufferevent_get_output(stream)) > ANSWER_BYTES_MAX) {
			hang_up(client, "read your answers before you ask more");
			return;
		}
	}
	if (evbuffer_get_length(input) > REQUEST_BYTES_MAX)
		hang_up(client, "a request is one JSON object on a line of at most 4096 bytes");
}

static struct client **find_free_place(struct control *control)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (control->clients[i] == NULL)
			return &control->clients[i];
	return NULL;
}

static void accept_client(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                          int address_length, void *context)
{
	struct control *control = context;
	struct client **place = find_free_place(control);
	struct client *client = place != NULL ? calloc(1, sizeof(*client)) : NULL;
	struct timeval idle = {.tv_sec = IDLE_S};

	(void)address;
	(void)address_length;
	if (client == NULL) {
		close(fd);
		return;
	}
	client->control = control;
	client->may_act = may_act(fd, control->daemon->admins);
	client->stream = bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
	if (client->stream == NULL) {
		close(fd);
		free(client);
		return;
	}
	*place = client;
	bufferevent_priority_set(client->stream, LOOP_PRIORITY_CLIENTS);
	bufferevent_setwatermark(client->stream, EV_READ, 0, 2 * REQUEST_BYTES_MAX);
	bufferevent_set_timeouts(client->stream, &idle, &idle);
	bufferevent_setcb(client->stream, client_readable, NULL, client_gone, client);
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
	if (control->listener == NULL) {
		free(control);
		return NULL;
	}
	return control;
}

void control_close(struct control *control)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (control->clients[i] != NULL)
			free_client(control->clients[i]);
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
