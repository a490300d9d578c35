#include "loop.h"

#include <event2/event.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "carpd/keeper/channel.h"
#include "carpd/control/control.h"
#include "carpd/engine/guard.h"
#include "linux/peer.h"
#include "carpd/log/log.h"
#include "carpd/engine/observe.h"
#include "carpd/engine/perform.h"
#include "carpd/engine/refusal.h"
#include "carpd/engine/reload.h"
#include "carpd/engine/route.h"
#include "carpd/engine/second_mac.h"
#include "carpd/engine/squatter.h"
#include "carpd/engine/trouble.h"
#include "carpd/engine/vrrp.h"

/* Thrice within the time in which the keeper wants to hear of us. */
#define LOOK_AFTER_NS    (3 * NS_PER_S)
#define LOOK_AT_LATEST_S 4

struct loop {
	struct daemon *daemon;
	struct event_base *base;
	struct event *channel_event;
	struct event **wire_events; /* two for each interface, NULL where it does not listen */
	size_t wire_event_count;
	struct control *control;
	int timer_fd;
	instant armed;
	instant look_again; /* in a burst of adverts, which do not wake us (gate_hush) */
	instant heard;      /* the last advert through the gate */
	int channel;
	uint32_t reloads_wanted; /* the number of the last */
	uint32_t reload_number;  /* the last that the one under way is for */
	struct event *look_event;
	instant looked; /* when look was called last */
};

static void arm_timer(struct loop *loop)
{
	instant deadline =
	        instant_earlier(engine_deadline(loop->daemon->engine), loop->daemon->look_for_routes);
	struct itimerspec when = {0};

	deadline = instant_earlier(deadline, loop->look_again);
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

static void packets_waiting(evutil_socket_t fd, short what, void *context);

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
	struct interfaces *interfaces = &loop->daemon->interfaces;

	unwatch_wires(loop);
	loop->daemon->wires_changed = false;
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

static void finish_reload(struct loop *loop)
{
	unwatch_wires(loop);
	reload_finish(loop->daemon);
	watch_wires(loop);
	(void)channel_say(loop->channel, MESSAGE_RELOADED);
	control_reloaded(loop->control, loop->reload_number, NULL);
}

/* What nobody tells of.  On the way of whatever wakes us, since waking for it would cost more than it does.
 */
static void look(struct loop *loop)
{
	const struct timeval at_latest = {.tv_sec = LOOK_AT_LATEST_S};
	struct daemon *daemon = loop->daemon;

	if (instant_span_ns(loop->looked, daemon->now) < LOOK_AFTER_NS)
		return;
	loop->looked = daemon->now;
	event_add(loop->look_event, &at_latest);
	(void)channel_say(loop->channel, MESSAGE_ALIVE);
	guard_look_at_all(daemon);
	observe_routers(daemon);
	refusal_look(daemon);
	vrrp_look(daemon);
	route_look(daemon);
	second_mac_look(daemon);
	trouble_look(daemon);
	/* What was left, or could not be read: no event brings it again. */
	if (observe_is_owed(daemon))
		observe_read(daemon);
	squatter_look(daemon);
	state_renew(&daemon->state, daemon->engine, daemon->now);
	if (daemon->runtime->retired != NULL && !engine_in_grace(daemon->engine))
		runtime_free_retired(daemon->runtime);
	perform_all(daemon);
}

/* After every event: its consequences, and when to look again. */
static void settle(struct loop *loop)
{
	struct daemon *daemon = loop->daemon;

	guard_look(daemon);
	perform_all(daemon);
	look(loop);
	if (reload_is_ready(daemon))
		finish_reload(loop);
	while (observe_let_go(daemon))
		perform_all(daemon);
	if (daemon->wires_changed)
		watch_wires(loop);
	control_settle(loop->control);
	arm_timer(loop);
	if (daemon->stopping && engine_stopped(daemon->engine, NULL))
		event_base_loopbreak(loop->base);
}

static void heard_packet(void *context, int link_index, const uint8_t *network, size_t bytes, bool multicast,
                         instant arrived)
{
	struct daemon *daemon = context;
	struct interface *interface = interfaces_find(&daemon->interfaces, link_index);
	enum drop drop;

	if (interface == NULL)
		return;
	drop = engine_receive(daemon->engine, (size_t)(interface - daemon->interfaces.list), network, bytes,
	                      multicast, arrived);
	if (drop == DROP_VHID && !multicast)
		engine_hear_stray(daemon->engine, network, bytes, arrived);
}

/*
 * A burst may bring many events for one group.  A quarter of the list leaves room for
 * WIRE_BATCH_MAX of them, each with all that one can bring.
 */
static void make_room(struct daemon *daemon)
{
	if (daemon->engine->action_count > daemon->engine->action_capacity / 4)
		perform_all(daemon);
}

/* The ring is the gate's, and stays whatever is performed in between. */
static void heard_through_gate(void *context, int link_index, const uint8_t *network, size_t bytes,
                               bool multicast, instant arrived)
{
	heard_packet(context, link_index, network, bytes, multicast, arrived);
	make_room(context);
}

/* Sent to this host alone, and not taken by the gate of a group with peers. */
static void heard_stray(void *context, int link_index, const uint8_t *network, size_t bytes)
{
	struct daemon *daemon = context;
	const struct interface *interface = interfaces_find(&daemon->interfaces, link_index);

	/* Where there is no gate it comes by the interface's own socket as well. */
	if (interface != NULL && interface->listening)
		return;
	if (interface != NULL)
		heard_packet(context, link_index, network, bytes, false, daemon->now);
	else
		engine_hear_stray(daemon->engine, network, bytes, daemon->now);
	make_room(daemon);
}

/* What follows sooner than this, or comes with another, is a burst. */
#define BURST_NS (500 * NS_PER_US)

static void receive_through_gate(struct loop *loop)
{
	struct daemon *daemon = loop->daemon;
	instant before = loop->heard;
	int adverts = gate_receive(daemon->gate, heard_through_gate, daemon);

	loop->look_again = INSTANT_NEVER;
	if (adverts <= 0)
		return;
	loop->heard = daemon->now;
	if (adverts > 1 || instant_span_ns(before, daemon->now) < BURST_NS)
		loop->look_again = gate_hush(daemon->gate, daemon->now);
}

/* A flood must not keep us from the timers: what is left makes the fd ready again. */
#define BATCHES_MAX 64

static void receive_on(struct daemon *daemon, struct interface *interface,
                       int (*fd_of)(const struct wire *wire))
{
	/* What is performed in between may close the wire. */
	for (int i = 0; i < BATCHES_MAX && interface->listening; i++) {
		if (wire_receive(interface->wire, fd_of(interface->wire), daemon->now, heard_packet,
		                 daemon) <= 0)
			return;
		make_room(daemon);
	}
}

static void receive_all(struct loop *loop)
{
	struct daemon *daemon = loop->daemon;

	if (daemon->gate != NULL)
		receive_through_gate(loop);
	for (int i = 0; i < 2; i++)
		if (daemon->peer_fds[i] >= 0)
			peer_receive(daemon->peer_fds[i], i == 0 ? FAMILY_IPV4 : FAMILY_IPV6, heard_stray,
			             daemon);
	for (size_t i = 0; i < daemon->interfaces.count; i++) {
		struct interface *interface = &daemon->interfaces.list[i];
		receive_on(daemon, interface, wire_fd_ipv4);
		receive_on(daemon, interface, wire_fd_ipv6);
	}
}

/*
 * One turn, whatever woke us.  A pause may have let several things happen at
 * once, and their order matters: a master whose lease ran out is none before it
 * reads what arrived meanwhile, and a backup reads it before it takes over.
 */
static void turn(struct loop *loop)
{
	struct daemon *daemon = loop->daemon;
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

static void neighbour_spoke(evutil_socket_t fd, short what, void *context)
{
	struct loop *loop = context;

	(void)fd;
	(void)what;
	daemon_read_clock(loop->daemon);
	squatter_receive(loop->daemon);
}

static void kernel_changed(evutil_socket_t fd, short what, void *context)
{
	struct loop *loop = context;

	(void)fd;
	(void)what;
	daemon_read_clock(loop->daemon);
	observe_read(loop->daemon);
	settle(loop);
}

static void begin_stop(struct loop *loop)
{
	struct daemon *daemon = loop->daemon;

	if (daemon->stopping)
		return;
	daemon->stopping = true;
	daemon_read_clock(daemon);
	engine_stop(daemon->engine, NULL, daemon->now);
	control_reloaded(loop->control, loop->reloads_wanted, "carpd is stopping");
	settle(loop);
}

static void stop_now(struct loop *loop)
{
	begin_stop(loop);
	daemon_read_clock(loop->daemon);
	engine_break_off(loop->daemon->engine, loop->daemon->now);
	settle(loop);
}

static void begin_reload(struct loop *loop, const struct message *message)
{
	const char *refusal;

	daemon_read_clock(loop->daemon);
	refusal = reload_begin(loop->daemon, message->fd);
	if (refusal == NULL) {
		loop->reload_number = message->number;
		settle(loop);
		return;
	}
	control_reloaded(loop->control, message->number, refusal);
	(void)channel_send(loop->channel, MESSAGE_RELOAD_REFUSED, message->number, refusal, -1);
}

static void settle_for_client(struct daemon *daemon)
{
	settle(daemon->loop);
}

static int reload_for_client(struct daemon *daemon, uint32_t *ret_number)
{
	struct loop *loop = daemon->loop;

	*ret_number = ++loop->reloads_wanted;
	return channel_send(loop->channel, MESSAGE_RELOAD_WANTED, *ret_number, NULL, -1);
}

static void maintenance_kept(struct loop *loop, const struct message *message)
{
	daemon_read_clock(loop->daemon);
	control_kept(loop->control, message->number, message->text);
	if (message->text[0] == '\0')
		daemon_set_maintenance(loop->daemon, (message->number & MESSAGE_MAINTENANCE_ON) != 0);
	settle(loop);
}

static void keeper_spoke(evutil_socket_t fd, short what, void *context)
{
	struct loop *loop = context;
	struct message message;
	int result;

	(void)what;
	while ((result = channel_receive_with_fd(fd, &message)) > 0) {
		switch (message.kind) {
		case MESSAGE_STOP:
			begin_stop(loop);
			break;
		case MESSAGE_STOP_NOW:
			stop_now(loop);
			break;
		case MESSAGE_RELOAD:
			begin_reload(loop, &message);
			break;
		case MESSAGE_RELOAD_REFUSED:
			control_reloaded(loop->control, message.number, message.text);
			break;
		case MESSAGE_SEALS:
			state_saved(&loop->daemon->state, message.text);
			break;
		case MESSAGE_MAINTENANCE:
			maintenance_kept(loop, &message);
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

/* Asked for by the clock when nothing else wakes us. */
static void nothing_happened(evutil_socket_t fd, short what, void *context)
{
	struct loop *loop = context;

	(void)fd;
	(void)what;
	daemon_read_clock(loop->daemon);
	settle(loop);
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

static bool watch_everything(struct loop *loop, int control_fd)
{
	const struct control_requests requests = {.reload = reload_for_client, .settle = settle_for_client};
	struct daemon *daemon = loop->daemon;
	struct event *term_event = evsignal_new(loop->base, SIGTERM, term_received, loop);

	loop->channel_event = watch(loop, loop->channel, keeper_spoke);
	loop->control = control_open(daemon, loop->base, control_fd, &requests);
	loop->look_event = event_new(loop->base, -1, 0, nothing_happened, loop);
	if (term_event == NULL || loop->look_event == NULL || loop->channel_event == NULL ||
	    loop->control == NULL || watch(loop, loop->timer_fd, timer_fired) == NULL ||
	    watch(loop, rtnl_fd(daemon->rtnl), kernel_changed) == NULL ||
	    (daemon->gate != NULL && watch(loop, gate_fd(daemon->gate), packets_waiting) == NULL))
		return false;
	for (int i = 0; i < 2; i++)
		if (daemon->peer_fds[i] >= 0 && watch(loop, daemon->peer_fds[i], packets_waiting) == NULL)
			return false;
	if (daemon->squatters->lookout.arp_fd >= 0)
		(void)watch(loop, daemon->squatters->lookout.arp_fd, neighbour_spoke);
	if (daemon->squatters->lookout.neighbour_fd >= 0)
		(void)watch(loop, daemon->squatters->lookout.neighbour_fd, neighbour_spoke);
	evsignal_add(term_event, NULL);
	watch_wires(loop);
	return true;
}

struct loop *loop_open(struct daemon *daemon, int channel, int control_fd)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return NULL;
	daemon->loop = loop;
	loop->daemon = daemon;
	loop->channel = channel;
	loop->armed = INSTANT_NEVER;
	loop->look_again = INSTANT_NEVER;
	loop->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	loop->base = make_base();
	if (loop->timer_fd < 0 || loop->base == NULL || !watch_everything(loop, control_fd))
		return NULL; /* and the process ends */
	return loop;
}

void loop_run(struct loop *loop)
{
	settle(loop);
	event_base_loop(loop->base, 0);
}

void loop_close(struct loop *loop)
{
	control_close(loop->control);
	unwatch_wires(loop);
}
