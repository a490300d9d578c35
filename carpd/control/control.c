#include "control.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "carpd/keeper/startup.h"
#include "carpd/log/log.h"

#define LOOKERS_MAX 32 /* those who only look cannot take the places of those who act */
#define ACTORS_MAX  32
#define CLIENTS_MAX (LOOKERS_MAX + ACTORS_MAX)
#define IDLE_S      60 /* a client that neither asks nor reads for so long is let go */

/*
 * After each turn, which is for one client, they rest for four times as long as it
 * took, so that all of them together cost a fifth of the time.  The engine may run
 * in real time, above everything else on its CPU, and anybody on the host may ask.
 */
#define REST_SHARE  4
#define REST_MIN_NS NS_PER_MS

/* Whoever waits to be accepted keeps the listener ready, so without descriptors it must not be asked. */
#define REST_WITHOUT_FDS_NS NS_PER_S

struct client {
	struct control *control;
	struct bufferevent *stream;
	struct conversation conversation;
	bool listening; /* what it sends next is read; only with nothing left to serve or to be read */
	bool finished;  /* asks nothing new, and may still read what it asked for */
};

struct control {
	struct daemon *daemon;
	struct evconnlistener *listener;
	struct control_requests requests;
	struct event *turn;
	int64_t rest_until_ns;
	bool out_of_fds;
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

static void free_client(struct client *client)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (client->control->clients[i] == client)
			client->control->clients[i] = NULL;
	conversation_end(&client->conversation);
	bufferevent_free(client->stream);
	free(client);
}

/* To be read from, which costs a turn as well: single bytes would else wake the engine without end. */
static bool wants_ear(const struct client *client)
{
	return !client->listening && !client->finished && !client->conversation.hung_up &&
	       conversation_is_answered(&client->conversation);
}

static bool wants_turn(const struct client *client)
{
	return conversation_has_request(&client->conversation) || wants_ear(client);
}

/* From the one after the last that was served, so that each comes to its turn. */
static struct client *find_client(const struct control *control, size_t *ret_place)
{
	for (size_t i = 1; i <= CLIENTS_MAX; i++) {
		size_t place = (control->served + i) % CLIENTS_MAX;
		if (control->clients[place] == NULL || !wants_turn(control->clients[place]))
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

/* libevent's time for silence runs while it is listened to: who waits for an answer has nothing to say. */
static void listen_to(struct client *client, bool on)
{
	client->listening = on;
	if (on)
		bufferevent_enable(client->stream, EV_READ);
	else
		bufferevent_disable(client->stream, EV_READ);
}

/* One request of one client, or an ear for it; then a rest. */
static void take_turn(evutil_socket_t fd, short what, void *context)
{
	struct control *control = context;
	int64_t began_ns = now_ns();
	size_t place;
	struct client *client = find_client(control, &place);

	(void)fd;
	(void)what;
	evconnlistener_enable(control->listener);
	if (client == NULL)
		return;
	control->served = place;
	if (conversation_has_request(&client->conversation))
		conversation_serve(&client->conversation);
	else
		listen_to(client, true);
	rest(control, now_ns() - began_ns);
	if (find_client(control, &place) != NULL)
		ask_for_turn(control);
}

static void client_readable(struct bufferevent *stream, void *context)
{
	struct client *client = context;

	(void)stream;
	listen_to(client, false);
	ask_for_turn(client->control);
}

/* What has been answered is still delivered. */
static void client_has_read(struct bufferevent *stream, void *context)
{
	struct client *client = context;

	(void)stream;
	if (wants_turn(client))
		ask_for_turn(client->control);
	else if ((client->conversation.hung_up || client->finished) &&
	         conversation_is_answered(&client->conversation))
		free_client(client);
}

static void client_gone(struct bufferevent *stream, short what, void *context)
{
	struct client *client = context;

	(void)stream;
	if ((what & BEV_EVENT_EOF) != 0)
		client->finished = true;
	/* The client has closed its sending side: it may still read what it asked for. */
	if ((what & BEV_EVENT_EOF) != 0 && (conversation_has_request(&client->conversation) ||
	                                    !conversation_is_answered(&client->conversation)))
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
	client->stream =
	        bufferevent_socket_new(evconnlistener_get_base(control->listener), fd, BEV_OPT_CLOSE_ON_FREE);
	if (client->stream == NULL) {
		free(client);
		return NULL;
	}
	client->conversation = (struct conversation){
	        .daemon = control->daemon,
	        .requests = &control->requests,
	        .input = bufferevent_get_input(client->stream),
	        .output = bufferevent_get_output(client->stream),
	        .may_act = acts,
	};
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
	control->out_of_fds = false;
	/* Connections cost time as requests do. */
	evconnlistener_disable(listener);
	rest(control, 0);
	ask_for_turn(control);
	if (client == NULL) {
		turn_away(fd);
		return;
	}
	bufferevent_priority_set(client->stream, LOOP_PRIORITY_CLIENTS);
	bufferevent_set_max_single_read(client->stream, REQUEST_BYTES_MAX);
	bufferevent_set_timeouts(client->stream, &idle, &idle);
	bufferevent_setcb(client->stream, client_readable, client_has_read, client_gone, client);
	listen_to(client, true);
}

/* Told once, until one is accepted again. */
static void accept_failed(struct evconnlistener *listener, void *context)
{
	struct control *control = context;

	if (!control->out_of_fds)
		log_warning(
		        "no client can be accepted: %s; raise the hard limit of open files (LimitNOFILE=)",
		        strerror(errno));
	control->out_of_fds = true;
	evconnlistener_disable(listener);
	rest(control, REST_WITHOUT_FDS_NS / REST_SHARE);
	ask_for_turn(control);
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
	if (control->listener != NULL)
		evconnlistener_set_error_cb(control->listener, accept_failed);
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

void control_settle(struct control *control)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (control->clients[i] != NULL)
			conversation_settle(&control->clients[i]->conversation);
}

void control_reloaded(struct control *control, uint32_t last, const char *error)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (control->clients[i] != NULL)
			conversation_reloaded(&control->clients[i]->conversation, last, error);
}

void control_kept(struct control *control, uint32_t last, const char *error)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (control->clients[i] != NULL)
			conversation_kept(&control->clients[i]->conversation, last, error);
}
