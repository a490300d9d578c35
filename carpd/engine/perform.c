#include "perform.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/announce.h"
#include "linux/forwarding.h"
#include "linux/peer.h"
#include "refusal.h"
#include "wanted.h"

/* It may have left since this was decided, and even begun another reign. */
static bool speaks(const struct action *action)
{
	return vhost_speaks(&action->node->vhost);
}

/* Shutting and opening are stores; the address may come and go behind a shut gate. */
static void set_gate(struct daemon *daemon, const struct action *action, bool open)
{
	struct interface *interface = daemon_interface_of(daemon, action->group);
	const struct vhost *vhost = &action->node->vhost;

	if (interface->gate_port < 0 || !action->group->virtual_mac)
		return;
	if (open && vhost->lease_end.ns != 0)
		gate_open(daemon->gate, interface->gate_port, vhost->vhid, vhost->lease_end);
	else if (!open)
		gate_close(daemon->gate, interface->gate_port, vhost->vhid);
}

/*
 * When a successor is heard, frames that the switch had sent here before may still
 * wait in this host's queues.  Without this pause one hand-over in eighty, on a busy
 * machine, lost up to a millisecond of them.
 */
#define PASS_NS NS_PER_MS

static bool let_pass(struct daemon *daemon, const struct action *action)
{
	const struct interface *interface = daemon_interface_of(daemon, action->group);
	const struct vhost *vhost = &action->node->vhost;

	if (!vhost->successor_heard || interface->gate_port < 0 || !action->group->virtual_mac)
		return false;
	gate_pass(daemon->gate, interface->gate_port, vhost->vhid,
	          instant_after(daemon_read_clock(daemon), PASS_NS));
	return true;
}

/* One wait for all groups of the turn, in which the kernel gets the processor as well. */
static void shut_gates(struct daemon *daemon, size_t count)
{
	const struct timespec pause = {.tv_nsec = PASS_NS};
	bool passing = false;

	for (size_t i = 0; i < count; i++)
		if (daemon->todo[i].kind == ACTION_SHUT && !let_pass(daemon, &daemon->todo[i]))
			set_gate(daemon, &daemon->todo[i], false);
		else if (daemon->todo[i].kind == ACTION_SHUT)
			passing = true;
	if (!passing)
		return;
	nanosleep(&pause, NULL);
	for (size_t i = 0; i < count; i++)
		if (daemon->todo[i].kind == ACTION_SHUT)
			set_gate(daemon, &daemon->todo[i], false);
}

static int send_advert(struct daemon *daemon, struct interface *interface, const struct advert_out *out)
{
	if (out->peer.family == FAMILY_NONE)
		return interface->wire == NULL ? -ENODEV
		                               : wire_send(interface->wire, out->bytes, out->length);
	int *fd = &daemon->peer_fds[out->peer.family == FAMILY_IPV6];
	if (*fd < 0)
		*fd = peer_open((enum family)out->peer.family);
	if (*fd < 0)
		return *fd;
	return peer_send(*fd, interface->link.index, &out->source, &out->peer, out->bytes, out->length);
}

/*
 * What begins a reign, advert or announcement, turns the switches towards this
 * host, so the gate is ajar when it leaves; not for longer than sending takes, as
 * only an advert that was really sent gives a lease.
 */
#define AJAR_NS (5 * NS_PER_MS)

static void leave_ajar(struct daemon *daemon, const struct action *action, instant before)
{
	const struct interface *interface = daemon_interface_of(daemon, action->group);
	const struct vhost *vhost = &action->node->vhost;

	if (vhost->lease_end.ns == 0 && interface->gate_port >= 0 && action->group->virtual_mac)
		gate_open(daemon->gate, interface->gate_port, vhost->vhid, instant_after(before, AJAR_NS));
}

/* Every copy of the node's advert. */
static void send_copies(struct daemon *daemon, const struct action *action, instant before)
{
	struct interface *interface = daemon_interface_of(daemon, action->group);
	struct advert_out out;
	int errors[DESTINATIONS_MAX];
	size_t copies = 0;

	while (engine_advert_frame(daemon->engine, action->node, copies, before, &out))
		errors[copies++] = -send_advert(daemon, interface, &out);
	engine_sent(daemon->engine, action->node, before, errors, copies);
}

static void advertise(struct daemon *daemon, const struct action *action)
{
	instant before = daemon_read_clock(daemon);

	/* Paused since this was decided: the others may be ahead of us. */
	if (vhost_lease_expired(daemon->engine, &action->node->vhost, before))
		return;
	leave_ajar(daemon, action, before);
	send_copies(daemon, action, before);
	/* Nobody was told, so nobody has stood back. */
	if (action->node->vhost.lease_end.ns == 0)
		set_gate(daemon, action, false);
}

static void say_goodbye(struct daemon *daemon, const struct action *action)
{
	send_copies(daemon, action, daemon_read_clock(daemon));
}

static void announce_address(struct interface *interface, const struct group *group, const struct mac *mac,
                             const struct address *address)
{
	uint8_t frame[ANNOUNCE_FRAME_MAX];
	bool router = address->family == FAMILY_IPV6 && forwarding_ipv6(interface->name);
	size_t length = announce_build(address, mac, ANNOUNCE_REQUEST, router, frame);

	(void)wire_send(interface->wire, frame, length);
	if (group->virtual_mac || address->family != FAMILY_IPV4)
		return;
	length = announce_build(address, mac, ANNOUNCE_REPLY, router, frame);
	(void)wire_send(interface->wire, frame, length);
}

static void announce(struct daemon *daemon, const struct action *action)
{
	struct interface *interface = daemon_interface_of(daemon, action->group);
	const struct group_settings *settings = action->group->settings;
	struct mac mac =
	        action->group->virtual_mac ? mac_virtual(action->node->vhost.vhid) : interface->link.mac;

	if (interface->wire == NULL)
		return;
	/* Before the first advert, unless that could not be sent. */
	if (action->node->vhost.send_failures == 0)
		leave_ajar(daemon, action, daemon_read_clock(daemon));
	for (size_t i = 0; i < settings->address_count; i++)
		if (!refusal_stands(interface, &settings->addresses[i].address, daemon->now))
			announce_address(interface, action->group, &mac, &settings->addresses[i].address);
}

static void probe(struct daemon *daemon, const struct action *action)
{
	struct interface *interface = daemon_interface_of(daemon, action->group);
	struct advert_out out;
	int errors[DESTINATIONS_MAX];
	size_t copies = 0;

	while (engine_probe_frame(daemon->engine, action->node, copies, &out))
		errors[copies++] = -send_advert(daemon, interface, &out);
	engine_probed(daemon->engine, action->node, errors, copies, daemon->now);
}

static void follow_up(struct daemon *daemon, const struct action *action)
{
	switch (action->kind) {
	case ACTION_SHUT:
	case ACTION_TAKE:
	case ACTION_DROP:
		break; /* done before */
	case ACTION_ADVERTISE:
		if (speaks(action))
			advertise(daemon, action);
		break;
	case ACTION_GOODBYE:
		say_goodbye(daemon, action);
		break;
	case ACTION_SERVE:
		if (speaks(action))
			set_gate(daemon, action, true);
		break;
	case ACTION_ANNOUNCE:
		if (speaks(action))
			announce(daemon, action);
		break;
	case ACTION_PROBE:
		probe(daemon, action);
		break;
	case ACTION_TELL:
		break; /* last: nobody waits for the log */
	}
}

static void tell_taken(struct daemon *daemon, const struct group *group, int taking_us)
{
	const struct group_settings *settings = group->settings;
	size_t count = 0;

	for (size_t i = 0; i < settings->address_count; i++)
		count += !refusal_stands(daemon_interface_of(daemon, group), &settings->addresses[i].address,
		                         daemon->now);
	if (group->masters > 0)
		history_note(&daemon->history, daemon_wall_ns(daemon), group->settings->name, "took",
		             "took %zu address%s, in %d us", count, count == 1 ? "" : "es", taking_us);
}

static void write_log(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->told_count; i++)
		if (daemon->told[i].kind == ACTION_TAKE)
			tell_taken(daemon, daemon->told[i].group, daemon->told[i].report.value);
		else
			history_report(&daemon->history, daemon->engine, &daemon->told[i], daemon->now);
	daemon->told_count = 0;
}

static void keep_for_log(struct daemon *daemon, size_t count, int64_t taking_ns)
{
	if (daemon->told_count + count > daemon->engine->action_capacity)
		write_log(daemon);
	for (size_t i = 0; i < count; i++) {
		struct action *action = &daemon->todo[i];
		if (action->kind == ACTION_TAKE)
			action->report.value = (int)(taking_ns / NS_PER_US);
		else if (action->kind != ACTION_TELL)
			continue;
		daemon->told[daemon->told_count++] = *action;
	}
}

static size_t take_todo(struct daemon *daemon)
{
	struct engine *engine = daemon->engine;
	size_t count = engine->action_count;

	memcpy(daemon->todo, engine->actions, count * sizeof(daemon->todo[0]));
	engine_clear_actions(engine);
	return count;
}

static void perform_turn(struct daemon *daemon, size_t count)
{
	shut_gates(daemon, count);
	instant begun = daemon_read_clock(daemon);
	for (size_t i = 0; i < count; i++)
		if (daemon->todo[i].kind == ACTION_TAKE || daemon->todo[i].kind == ACTION_DROP)
			daemon_move(daemon, daemon->todo[i].group);
	wanted_bring_about(daemon);
	int64_t taking_ns = instant_span_ns(begun, daemon_read_clock(daemon));
	for (size_t i = 0; i < count; i++)
		follow_up(daemon, &daemon->todo[i]);
	keep_for_log(daemon, count, taking_ns);
}

void perform_all(struct daemon *daemon)
{
	do {
		while (daemon->engine->action_count > 0 || daemon->wanted_changed)
			perform_turn(daemon, take_todo(daemon));
		wanted_look_for_routes(daemon);
	} while (daemon->engine->action_count > 0);
	write_log(daemon);
}
