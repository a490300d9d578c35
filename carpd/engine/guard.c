#include "guard.h"

#include <errno.h>

/* With the gate or without it, as interface_attach finds. */
static void begin_anew(struct daemon *daemon, struct interface *interface)
{
	struct parent parent;

	interface_attach(&daemon->interfaces, interface, daemon->runtime, daemon->now);
	daemon->wires_changed = true;
	parent = interface_as_parent(interface);
	engine_parent_changed(daemon->engine, (size_t)(interface - daemon->interfaces.list), &parent,
	                      daemon->now);
}

/* A slip is told each time; what is a fight the status says (trouble.c). */
static void was_displaced(struct daemon *daemon, struct interface *interface)
{
	static const struct address no_address;
	struct fight *fight = &interface->gate_fight;

	daemon->gate_faults++;
	if (!fight_is_on(fight))
		history_note(&daemon->history, daemon_wall_ns(daemon), NULL, "problem",
		             "somebody detached the gate from %s, or went before it; it is back",
		             interface->name);
	(void)fight_removed(fight, &no_address, daemon->now);
	interface->gate_look_at = fight->put_back_at;
	fight->put_back_at = INSTANT_NEVER;
}

static void check(struct daemon *daemon, struct interface *interface)
{
	int result;

	if (!instant_reached(interface->gate_look_at, daemon->now))
		return;
	interface->gate_doubtful = false;
	if (interface->gate_port < 0)
		return;
	result = gate_check(daemon->gate, interface->gate_port);
	if (result > 0)
		was_displaced(daemon, interface);
	if (result >= 0 || result == -ENODEV)
		return;
	interface_refuse_gate(interface, result);
	begin_anew(daemon, interface);
}

/* Whoever was in its way may have gone. */
static void try_again(struct daemon *daemon, struct interface *interface)
{
	int port;

	if (interface->gate_refused[0] == '\0' || interface->wire == NULL || interface->gate_port >= 0)
		return;
	port = gate_attach(daemon->gate, interface->link.index, &interface->link.mac);
	if (port < 0) {
		interface_refuse_gate(interface, port);
		return;
	}
	gate_detach(daemon->gate, port);
	interface->gate_refused[0] = '\0';
	begin_anew(daemon, interface);
}

void guard_look(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->interfaces.count; i++)
		if (daemon->interfaces.list[i].gate_doubtful)
			check(daemon, &daemon->interfaces.list[i]);
}

void guard_look_at_all(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->interfaces.count; i++) {
		struct interface *interface = &daemon->interfaces.list[i];

		check(daemon, interface);
		(void)fight_over(&interface->gate_fight, daemon->now);
		try_again(daemon, interface);
	}
}
