#include "daemon.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "await.h"
#include "channel.h"
#include "control.h"
#include "linux/sandbox.h"
#include "log.h"
#include "observe.h"
#include "perform.h"
#include "reload.h"

/* The value of maintenance: further back than anything that goes wrong by itself. */
#define MAINTENANCE_VALUE 254

/* How often the gates are looked at: tcx tells nobody of a change. */
#define GATE_CHECK_S 5

struct loop {
	struct daemon daemon;
	struct event_base *base;
	struct event *timer_event;
	struct event *gate_event;
	struct event *rtnl_event;
	struct event *channel_event;
	struct event *second_event;
	struct event *term_event;
	struct event **wire_events; /* two for each interface, NULL where it does not listen */
	size_t wire_event_count;
	struct control *control;
	struct runtime *next; /* a reload that waits for groups to leave */
	int timer_fd;
	instant armed;
	instant look_again; /* for the rest of a burst of adverts (gate_receive) */
	int channel;
	unsigned seconds;
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

instant daemon_read_clock(struct daemon *daemon)
{
	daemon->now = (instant){clock_ns(CLOCK_BOOTTIME)};
	daemon->engine->wall_offset_ns = clock_ns(CLOCK_REALTIME) - daemon->now.ns;
	return daemon->now;
}

void daemon_set_maintenance(struct daemon *daemon, bool on)
{
	if (on)
		engine_demote(daemon->engine, "maintenance", MAINTENANCE_VALUE, DEMOTION_EVERYWHERE,
		              daemon->now, INSTANT_NEVER);
	else
		engine_undemote(daemon->engine, "maintenance", daemon->now);
}

bool daemon_make_room(struct daemon *daemon, const struct engine *engine)
{
	size_t capacity = engine->action_capacity;
	struct action *todo = calloc(capacity, sizeof(*todo));
	struct action *kept = calloc(capacity, sizeof(*kept));

	if (todo == NULL || kept == NULL) {
		free(todo);
		free(kept);
		return false;
	}
	free(daemon->todo);
	free(daemon->await.kept);
	daemon->todo = todo;
	daemon->await = (struct await){.kept = kept, .capacity = capacity, .until = INSTANT_NEVER};
	return true;
}

static void arm_timer(struct loop *loop)
{
	instant deadline = instant_earlier(engine_deadline(loop->daemon.engine), loop->look_again);

	deadline = instant_earlier(deadline, await_deadline(&loop->daemon));
	struct itimerspec when = {0};

	if (deadline.ns == loop->armed.ns)
		return;
	loop->armed = deadline;
	if (!instant_is_never(deadline)) {
		/* Zero would disarm it. */
		int64_t ns = deadline.ns > 0 ? deadline.ns : 1;
		when.it_value.tv_sec = ns / NS_PER_S;
		when.it_value.tv_nsec = ns % NS_PER_S;
	}
	timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void watch_wires(struct loop *loop);
static void finish_reload(struct loop *loop);

/* After every event: its consequences, and when to look again. */
static void settle(struct loop *loop)
{
	struct daemon *daemon = &loop->daemon;

	perform_all(daemon);
	if (loop->next != NULL && reload_is_ready(daemon, loop->next))
		finish_reload(loop);
	control_settle(loop->control);
	arm_timer(loop);
	if (daemon->stopping && engine_stopped(daemon->engine, NULL))
		event_base_loopbreak(loop->base);
}

static void settle_for_client(struct daemon *daemon)
{
	settle((struct loop *)(void *)((char *)daemon - offsetof(struct loop, daemon)));
}

static void heard_packet(void *context, int link_index, const uint8_t *network, size_t bytes, bool multicast,
                         instant arrived)
{
	struct daemon *daemon = context;
	struct interface *interface = interfaces_find(&daemon->interfaces, link_index);

	if (interface == NULL)
		return;
	engine_receive(daemon->engine, (size_t)(interface - daemon->interfaces.list), network, bytes,
	               multicast, arrived);
	/* A burst may bring many events for one group; the list has room for one each. */
	if (daemon->engine->action_count > daemon->engine->action_capacity / 2)
		perform_all(daemon);
}

static void receive_all(struct loop *loop)
{
	struct daemon *daemon = &loop->daemon;

	if (daemon->gate != NULL)
		loop->look_again = gate_receive(daemon->gate, heard_packet, daemon) > 0
		                           ? instant_after(daemon->now, GATE_SETTLE_NS)
		                           : INSTANT_NEVER;
	for (size_t i = 0; i < daemon->interfaces.count; i++) {
		struct interface *interface = &daemon->interfaces.list[i];
		if (!interface->listening)
			continue;
		wire_receive(interface->wire, wire_fd_ipv4(interface->wire), daemon->now, heard_packet,
		             daemon);
		wire_receive(interface->wire, wire_fd_ipv6(interface->wire), daemon->now, heard_packet,
		             daemon);
	}
}

/*
 * One turn, whatever woke us.  A pause may have let several things happen at
 * once, and their order matters: a master whose lease ran out is none before it
 * reads what arrived meanwhile, and a backup reads it before it takes over.
 */
static void turn(struct loop *loop)
{
	struct daemon *daemon = &loop->daemon;
	instant now = daemon_read_clock(daemon);

	if (instant_reached(engine_deadline(daemon->engine), now))
		engine_expire_leases(daemon->engine, now);
	receive_all(loop);
	if (instant_reached(engine_deadline(daemon->engine), now))
		engine_tick(daemon->engine, now);
	settle(loop);
}

static void timer_fired(evutil_socket_t fd, short what, void *context)
{
	struct loop *loop = context;
	uint64_t expirations;

	(void)what;
	if (read(fd, &expirations, sizeof(expirations)) > 0)
		loop->armed = INSTANT_NEVER;
	turn(loop);
}

static void packets_waiting(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	turn(context);
}

static void kernel_changed(evutil_socket_t fd, short what, void *context)
{
	struct loop *loop = context;

	(void)fd;
	(void)what;
	daemon_read_clock(&loop->daemon);
	observe_read(&loop->daemon);
	watch_wires(loop);
	settle(loop);
}

/* The sockets of interfaces without the gate, which come and go with them. */
static void unwatch_wires(struct loop *loop)
{
	for (size_t i = 0; i < loop->wire_event_count; i++)
		if (loop->wire_events[i] != NULL)
			event_free(loop->wire_events[i]);
	free(loop->wire_events);
	loop->wire_events = NULL;
	loop->wire_event_count = 0;
}

static struct event *watch(struct loop *loop, int fd, event_callback_fn callback)
{
	struct event *event = event_new(loop->base, fd, EV_READ | EV_PERSIST, callback, loop);

	if (event != NULL) {
		event_priority_set(event, LOOP_PRIORITY_PROTOCOL);
		event_add(event, NULL);
	}
	return event;
}

static void watch_wires(struct loop *loop)
{
	struct interfaces *interfaces = &loop->daemon.interfaces;

	unwatch_wires(loop);
	loop->wire_events = calloc(2 * interfaces->count, sizeof(struct event *));
	if (loop->wire_events == NULL)
		return;
	loop->wire_event_count = 2 * interfaces->count;
	for (size_t i = 0; i < interfaces->count; i++) {
		const struct interface *interface = &interfaces->list[i];
		if (!interface->listening)
			continue;
		loop->wire_events[2 * i] = watch(loop, wire_fd_ipv4(interface->wire), packets_waiting);
		loop->wire_events[2 * i + 1] = watch(loop, wire_fd_ipv6(interface->wire), packets_waiting);
	}
}

static void begin_stop(struct loop *loop)
{
	struct daemon *daemon = &loop->daemon;

	if (daemon->stopping)
		return;
	daemon->stopping = true;
	daemon_read_clock(daemon);
	engine_stop(daemon->engine, NULL, daemon->now);
	settle(loop);
}

static uint64_t random_seed(void)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = (uint64_t)clock_ns(CLOCK_BOOTTIME);
	return seed;
}

static void begin_reload(struct loop *loop, int fd)
{
	struct daemon *daemon = &loop->daemon;
	FILE *file = fdopen(fd, "r");
	struct config *config = NULL;

	if (file == NULL)
		close(fd);
	else
		config = config_parse(file, "configuration from the keeper", stderr);
	if (file != NULL)
		fclose(file);
	if (config == NULL || loop->next != NULL) {
		control_reloaded(loop->control, config == NULL ? "the keeper's configuration does not parse"
		                                               : "a reload is still under way");
		if (config != NULL)
			config_free(config);
		return;
	}
	daemon_read_clock(daemon);
	loop->next = runtime_create(config, random_seed(), daemon->engine->settings->sequence_base,
	                            daemon->engine->settings->start);
	if (loop->next == NULL) {
		control_reloaded(loop->control, "out of memory");
		return;
	}
	reload_begin(daemon, loop->next);
	settle(loop);
}

static void finish_reload(struct loop *loop)
{
	struct daemon *daemon = &loop->daemon;
	struct runtime *next = loop->next;

	loop->next = NULL;
	unwatch_wires(loop);
	control_forget_groups(loop->control);
	reload_finish(daemon, next);
	observe_all(daemon);
	watch_wires(loop);
	history_note(&daemon->history, daemon->now.ns + daemon->engine->wall_offset_ns, NULL, "reload",
	             "the configuration was read again: %zu group%s", next->settings.group_count,
	             next->settings.group_count == 1 ? "" : "s");
	perform_all(daemon);
	(void)channel_send(loop->channel, MESSAGE_RELOADED, NULL, -1);
	control_reloaded(loop->control, NULL);
}

static void reload_wanted(struct daemon *daemon)
{
	struct loop *loop = (struct loop *)(void *)((char *)daemon - offsetof(struct loop, daemon));

	if (channel_send(loop->channel, MESSAGE_RELOAD_WANTED, NULL, -1) < 0)
		control_reloaded(loop->control, "the keeper does not answer");
}

static void keeper_spoke(evutil_socket_t fd, short what, void *context)
{
	struct loop *loop = context;
	struct message message;
	int result;

	(void)what;
	while ((result = channel_receive(fd, &message)) > 0) {
		switch (message.kind) {
		case MESSAGE_STOP:
			begin_stop(loop);
			break;
		case MESSAGE_RELOAD:
			begin_reload(loop, message.fd);
			break;
		case MESSAGE_RELOAD_REFUSED:
			control_reloaded(loop->control, message.text);
			break;
		case MESSAGE_READY:
		case MESSAGE_ALIVE:
		case MESSAGE_RELOAD_WANTED:
		case MESSAGE_RELOADED:
			break; /* ours to say */
		}
	}
	if (result < 0) {
		log_error("the keeper is gone; handing over");
		event_del(loop->channel_event);
		begin_stop(loop);
	}
}

static void term_received(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	begin_stop(context);
}

static void save_state(struct loop *loop)
{
	struct daemon *daemon = &loop->daemon;
	const struct engine *engine = daemon->engine;
	uint64_t sequence = engine->settings->sequence_base +
	                    (uint64_t)instant_span_ns(engine->settings->start, daemon->now);

	if (sequence < engine->sequence)
		sequence = engine->sequence;
	if (state_reservation_is_short(&daemon->state, sequence))
		state_save(&daemon->state, engine, sequence);
}

static void second_passed(evutil_socket_t fd, short what, void *context)
{
	struct loop *loop = context;
	struct daemon *daemon = &loop->daemon;

	(void)fd;
	(void)what;
	daemon_read_clock(daemon);
	(void)channel_send(loop->channel, MESSAGE_ALIVE, NULL, -1);
	if (++loop->seconds % GATE_CHECK_S == 0)
		observe_gates(daemon);
	save_state(loop);
	if (daemon->runtime->retired != NULL && !engine_in_grace(daemon->engine))
		runtime_free_retired(daemon->runtime);
	settle(loop);
}

static bool watch_everything(struct loop *loop, int control_fd)
{
	const struct control_requests requests = {.reload = reload_wanted, .settle = settle_for_client};
	const struct timeval second = {.tv_sec = 1};
	struct daemon *daemon = &loop->daemon;

	loop->timer_event = watch(loop, loop->timer_fd, timer_fired);
	loop->rtnl_event = watch(loop, rtnl_fd(daemon->rtnl), kernel_changed);
	loop->channel_event = watch(loop, loop->channel, keeper_spoke);
	if (daemon->gate != NULL)
		loop->gate_event = watch(loop, gate_fd(daemon->gate), packets_waiting);
	loop->term_event = evsignal_new(loop->base, SIGTERM, term_received, loop);
	loop->second_event = event_new(loop->base, -1, EV_PERSIST, second_passed, loop);
	loop->control = control_open(daemon, loop->base, control_fd, &requests);
	if (loop->timer_event == NULL || loop->rtnl_event == NULL || loop->channel_event == NULL ||
	    loop->term_event == NULL || loop->second_event == NULL || loop->control == NULL)
		return false;
	evsignal_add(loop->term_event, NULL);
	event_add(loop->second_event, &second);
	watch_wires(loop);
	return true;
}

static bool start_engine(struct loop *loop, const struct endowment *endowment)
{
	struct daemon *daemon = &loop->daemon;
	instant now = {clock_ns(CLOCK_BOOTTIME)};
	uint64_t sequence = (uint64_t)clock_ns(CLOCK_REALTIME);

	state_open(&daemon->state, endowment->config->state_directory);
	if (sequence <= daemon->state.reserved_sequence)
		sequence = daemon->state.reserved_sequence + 1;
	daemon->runtime = runtime_create(endowment->config, random_seed(), sequence, now);
	if (daemon->runtime == NULL)
		return false;
	daemon->engine = daemon->runtime->engine;
	if (!daemon_make_room(daemon, daemon->engine) ||
	    interfaces_create(&daemon->interfaces, daemon->runtime, NULL) < 0)
		return false;
	daemon->gate = endowment->gate;
	daemon->interfaces.gate = endowment->gate;
	daemon->interfaces.gate_missing = endowment->gate_missing;
	daemon->admins = endowment->admins;
	daemon->peer_fds[0] = daemon->peer_fds[1] = -1;
	daemon->started = daemon_read_clock(daemon);
	state_restore_marks(&daemon->state, daemon->engine, now);
	state_save(&daemon->state, daemon->engine, sequence);
	if (state_maintenance(&daemon->state))
		daemon_set_maintenance(daemon, true);
	return true;
}

static struct event_base *make_base(void)
{
	struct event_config *wanted = event_config_new();
	struct event_base *base;

	if (wanted == NULL)
		return NULL;
	event_config_set_flag(wanted, EVENT_BASE_FLAG_NOLOCK);
	base = event_base_new_with_config(wanted);
	event_config_free(wanted);
	if (base != NULL)
		event_base_priority_init(base, LOOP_PRIORITIES);
	return base;
}

static bool open_loop(struct loop *loop, const struct endowment *endowment)
{
	struct daemon *daemon = &loop->daemon;

	loop->channel = endowment->channel;
	loop->armed = INSTANT_NEVER;
	loop->look_again = INSTANT_NEVER;
	loop->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	loop->base = make_base();
	if (loop->timer_fd < 0 || loop->base == NULL || !start_engine(loop, endowment)) {
		log_error("the engine cannot start: out of memory or descriptors");
		return false;
	}
	if (daemon->gate != NULL) {
		gate_reset(daemon->gate);
		gate_drain(daemon->gate);
	}
	int error = observe_open(daemon);
	if (error < 0) {
		log_error("rtnetlink cannot be opened: %s", strerror(-error));
		return false;
	}
	if (!watch_everything(loop, endowment->control_fd)) {
		log_error("the event loop cannot be set up");
		return false;
	}
	return true;
}

/* Everything that the kernel holds for us is given back; the rest goes with the process. */
static void close_loop(struct loop *loop)
{
	struct daemon *daemon = &loop->daemon;

	perform_all(daemon);
	state_save(&daemon->state, daemon->engine, daemon->engine->sequence);
	control_close(loop->control);
	unwatch_wires(loop);
	interfaces_free(&daemon->interfaces);
	rtnl_close(daemon->rtnl);
}

static int enter_sandbox(const struct endowment *endowment)
{
	const struct config *config = endowment->config;
	int error;

	if (config->realtime && (error = sandbox_be_punctual()) < 0)
		log_warning("no real-time priority: %s; takeovers may come late under load",
		            strerror(-error));
	error = sandbox_drop_privileges(endowment->uid, endowment->gid);
	if (error < 0) {
		log_error("privileges cannot be dropped: %s", strerror(-error));
		return error;
	}
	return 0;
}

/* Only now: what was opened needed calls that are never made again. */
static void close_sandbox(const struct config *config)
{
	int error = config->sandbox ? sandbox_filter_engine() : 0;

	if (error < 0)
		log_warning("the engine runs without its sandbox: %s", strerror(-error));
}

int daemon_run(const struct endowment *endowment)
{
	static struct loop loop;

	signal(SIGINT, SIG_IGN); /* of a terminal: the keeper decides */
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (enter_sandbox(endowment) < 0 || !open_loop(&loop, endowment))
		return EXIT_FAILURE;
	close_sandbox(endowment->config);
	(void)channel_send(loop.channel, MESSAGE_READY, NULL, -1);
	settle(&loop);
	event_base_loop(loop.base, 0);
	close_loop(&loop);
	return EXIT_SUCCESS;
}
