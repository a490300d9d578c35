#include "observe.h"

#include <string.h>

#include "linux/forwarding.h"
#include "carpd/log/log.h"
#include "refusal.h"
#include "carpd/net/source.h"

static size_t index_of(const struct daemon *daemon, const struct interface *interface)
{
	return (size_t)(interface - daemon->interfaces.list);
}

static void tell_engine(struct daemon *daemon, const struct interface *interface)
{
	struct parent parent = interface_as_parent(interface);

	refusal_follow(daemon->engine, &daemon->interfaces, daemon->now);
	for (size_t g = 0; g < daemon->engine->settings->group_count; g++) {
		struct group *group = &daemon->engine->groups[g];
		if (group->settings->parent != index_of(daemon, interface))
			continue;
		group->source_ipv4 =
		        source_choose(interface, daemon->runtime, g, FAMILY_IPV4, &group->source_ipv4);
		group->source_ipv6 =
		        source_choose(interface, daemon->runtime, g, FAMILY_IPV6, &group->source_ipv6);
	}
	engine_parent_changed(daemon->engine, index_of(daemon, interface), &parent, daemon->now);
}

static void link_lost(struct daemon *daemon, struct interface *interface)
{
	if (interface->link.index == 0)
		return;
	history_note(&daemon->history, daemon_wall_ns(daemon), NULL, "link", "%s is gone", interface->name);
	interface_detach(&daemon->interfaces, interface);
	daemon->wires_changed = true;
	interface->link.index = 0;
	interface->taker = 0;
	interface->renamed = false;
	interface_forget_addresses(interface);
	interface->subnets.count = 0;
	interface->refusal_count = 0;
	interface->refusals_changed = true;
	tell_engine(daemon, interface);
}

static void attach(struct daemon *daemon, struct interface *interface)
{
	interface_attach(&daemon->interfaces, interface, daemon->runtime, daemon->now);
	daemon->wires_changed = true;
}

/* One whose frames somebody else takes is of no use: the group leaves it, and comes back with it. */
static void follow_taker(struct daemon *daemon, struct interface *interface)
{
	int taker = surroundings_taker(&daemon->surroundings, &interface->link);

	if (taker == interface->taker || daemon->resyncing)
		return;
	interface->taker = taker;
	if (!interface_is_leaving(interface))
		attach(daemon, interface);
	tell_engine(daemon, interface);
}

static void link_found(struct daemon *daemon, struct interface *interface, const struct rtnl_link *link)
{
	struct rtnl_link before = interface->link;

	interface->mentioned = true;
	interface->router = forwarding_ipv6(link->name);
	interface->ipv6 = ipv6_look(link->name);
	interface->groups_doubtful = true;
	interface->refusals_changed = true;
	interface->renamed = false;
	interface->link = *link;
	if (before.index == 0) {
		interface->taker = surroundings_taker(&daemon->surroundings, link);
		attach(daemon, interface);
		history_note(&daemon->history, daemon_wall_ns(daemon), NULL, "link", "%s is there, %s",
		             interface->name, link->up ? "up" : "down");
	} else if (before.up != link->up) {
		history_note(&daemon->history, daemon_wall_ns(daemon), NULL, "link", "%s is %s",
		             interface->name, link->up ? "up" : "down");
	}
	if (!mac_equal(&before.mac, &link->mac) && interface->gate_port >= 0)
		gate_set_parent_mac(daemon->gate, interface->gate_port, &link->mac);
	follow_taker(daemon, interface);
	tell_engine(daemon, interface);
}

/* The macvlan that takes a parent's frames comes and goes by itself. */
static void follow_takers(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->interfaces.count; i++)
		if (daemon->interfaces.list[i].link.index != 0)
			follow_taker(daemon, &daemon->interfaces.list[i]);
}

/* Not ours any more; but nothing but we takes our addresses off it, or fences them until they are. */
static void link_renamed(struct daemon *daemon, struct interface *interface)
{
	interface->mentioned = true;
	interface->renamed = true;
	tell_engine(daemon, interface);
}

static void own_changed(struct daemon *daemon, struct interface *interface)
{
	interface->own_changed = true;
	daemon->wanted_changed = true;
}

static void heard_link(void *context, const struct rtnl_link *link, bool gone)
{
	struct daemon *daemon = context;
	struct interface *known = interfaces_find(&daemon->interfaces, link->index);
	struct interface *named = interfaces_find_name(&daemon->interfaces, link->name);

	surroundings_note_link(&daemon->surroundings, link, gone);
	if (known != NULL && gone)
		link_lost(daemon, known);
	else if (known != NULL && known != named)
		link_renamed(daemon, known);
	if (link->passthru)
		follow_takers(daemon);
	if (gone || named == NULL)
		return;
	/* Another took the name of one that we have not given up yet. */
	if (named->renamed && named->link.index != link->index) {
		daemon->look_for_losses = true;
		return;
	}
	/* Deleted and made anew before we heard of it. */
	if (named->link.index != 0 && named->link.index != link->index)
		link_lost(daemon, named);
	link_found(daemon, named, link);
}

static void heard_address(void *context, const struct rtnl_address *address, bool gone)
{
	struct daemon *daemon = context;
	struct interface *interface = interfaces_find(&daemon->interfaces, address->link_index);
	bool ours = address->protocol == RTNL_ADDRESS_PROTOCOL;

	if (!ours)
		surroundings_note_address(&daemon->surroundings, address, gone);
	if (interface == NULL || !interface_note_address(interface, address, gone))
		return;
	/* A link's IPv6 is there again when it has an address; of its state itself nobody is told. */
	interface->groups_doubtful |= address->address.address.family == FAMILY_IPV6 && !ours;
	const struct group *group = daemon_find_group(daemon, address->link_index, &address->address.address);
	if (group == NULL || !ours)
		own_changed(daemon, interface);
	if (ours && !gone && (group == NULL || group->masters == 0))
		interface->leftovers = daemon->wanted_changed = true;
	if (group == NULL)
		tell_engine(daemon, interface);
	else if (gone && group->masters > 0)
		daemon->look_for_losses = true;
}

static void heard_filter_change(void *context, int link_index)
{
	struct daemon *daemon = context;
	struct interface *interface = interfaces_find(&daemon->interfaces, link_index);

	if (interface != NULL)
		interface->gate_doubtful = true;
}

static void resync_begun(void *context)
{
	struct daemon *daemon = context;

	daemon->resyncing = true;
	surroundings_forget(&daemon->surroundings);
	for (size_t i = 0; i < daemon->interfaces.count; i++) {
		daemon->interfaces.list[i].mentioned = false;
		interface_forget_addresses(&daemon->interfaces.list[i]);
	}
}

static void resync_ended(void *context)
{
	struct daemon *daemon = context;

	daemon->resyncing = false;
	for (size_t i = 0; i < daemon->interfaces.count; i++) {
		struct interface *interface = &daemon->interfaces.list[i];
		if (!interface->mentioned)
			link_lost(daemon, interface);
		interface->gate_doubtful = true;
		own_changed(daemon, interface);
		tell_engine(daemon, interface);
	}
	follow_takers(daemon);
	daemon->look_for_losses = true;
}

static const struct rtnl_handler handler = {
        .link = heard_link,
        .address = heard_address,
        .filter_changed = heard_filter_change,
        .resync_begin = resync_begun,
        .resync_end = resync_ended,
};

static void note_reading(struct daemon *daemon, int error)
{
	if (error < 0 && daemon->rtnl_error == 0)
		log_error(
		        "the kernel's links and addresses cannot be read: %s; tried again every few seconds",
		        strerror(-error));
	if (error == 0 && daemon->rtnl_error < 0)
		log_notice("the kernel's links and addresses are read again");
	daemon->rtnl_error = error;
}

/*
 * Events alone do not tell: a group that left and rose again within one turn
 * dropped its addresses and took them, and of IPv6 addresses the kernel tells
 * later than it adds them.  So the whole picture is read anew first.
 */
static void find_losses(struct daemon *daemon)
{
	note_reading(daemon, rtnl_resync(daemon->rtnl));
	/* By an old picture nothing is judged. */
	daemon->look_for_losses = daemon->rtnl_error < 0;
	if (daemon->look_for_losses)
		return;
	for (size_t i = 0; i < daemon->engine->settings->group_count; i++) {
		const struct group *group = &daemon->engine->groups[i];
		const struct group_settings *settings = group->settings;
		const struct interface *interface = &daemon->interfaces.list[settings->parent];
		if (group->masters == 0 || interface->link.index == 0)
			continue;
		for (size_t a = 0; a < settings->address_count; a++)
			if (!interface_has_address(interface, &settings->addresses[a].address) &&
			    !refusal_stands(interface, &settings->addresses[a].address, daemon->now))
				engine_address_lost(daemon->engine, settings->parent,
				                    &settings->addresses[a].address, daemon->now);
	}
}

static const struct rtnl_address *find_stranger(const struct daemon *daemon,
                                                const struct interface *interface)
{
	const struct engine_settings *settings = daemon->engine->settings;
	const struct rtnl_address *stranger = NULL;

	for (size_t g = 0; g < settings->group_count; g++) {
		const struct group_settings *group = &settings->groups[g];
		if (group->parent != index_of(daemon, interface))
			continue;
		for (size_t a = 0; a < group->address_count && stranger == NULL; a++)
			stranger = interface_stranger(interface, &group->addresses[a].address);
	}
	return stranger;
}

/* One at a time: the next is told of when this one is gone. */
static void tell_stranger(struct daemon *daemon, struct interface *interface)
{
	const struct rtnl_address *stranger = find_stranger(daemon, interface);
	struct address address = {0};
	char text[TEXT_SENTENCE_MAX];

	if (stranger != NULL)
		address = stranger->address.address;
	if (address_equal(&address, &interface->stranger))
		return;
	if (stranger != NULL)
		history_note(&daemon->history, daemon_wall_ns(daemon), NULL, "problem", "%s",
		             interface_describe_stranger(interface, stranger, text));
	else
		history_note(&daemon->history, daemon_wall_ns(daemon), NULL, "problem",
		             "%s on %s is carpd's alone now", text_address(&interface->stranger, text),
		             interface->name);
	interface->stranger = address;
}

static void tell_strangers(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->interfaces.count; i++)
		if (daemon->interfaces.list[i].own_changed)
			tell_stranger(daemon, &daemon->interfaces.list[i]);
}

static void keep_groups(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->interfaces.count; i++) {
		struct interface *interface = &daemon->interfaces.list[i];
		if (interface->groups_doubtful && interface->wire != NULL && wire_rejoin(interface->wire))
			history_note(
			        &daemon->history, daemon_wall_ns(daemon), NULL, "link",
			        "%s: the kernel had forgotten the multicast group of the adverts; joined "
			        "again",
			        interface->name);
		interface->groups_doubtful = false;
	}
}

int observe_open(struct daemon *daemon)
{
	int error = rtnl_open(&handler, daemon, &daemon->rtnl);

	if (error == 0)
		tell_strangers(daemon);
	return error;
}

void observe_read(struct daemon *daemon)
{
	note_reading(daemon, rtnl_read(daemon->rtnl));
	if (daemon->look_for_losses)
		find_losses(daemon);
	keep_groups(daemon);
	tell_strangers(daemon);
}

bool observe_is_owed(const struct daemon *daemon)
{
	return daemon->look_for_losses || daemon->rtnl_error < 0;
}

bool observe_let_go(struct daemon *daemon)
{
	bool told = false;

	for (size_t i = 0; i < daemon->interfaces.count; i++) {
		struct interface *interface = &daemon->interfaces.list[i];
		if (!interface_is_leaving(interface))
			continue;
		told = true;
		if (interface->renamed) {
			link_lost(daemon, interface);
			daemon->look_for_losses = true; /* somebody may have its name */
		} else {
			attach(daemon, interface);
			tell_engine(daemon, interface);
		}
	}
	if (told)
		observe_read(daemon);
	return told;
}

/* The kernel tells of it in a way of its own, and nobody needs to know it this instant. */
void observe_routers(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->interfaces.count; i++) {
		struct interface *interface = &daemon->interfaces.list[i];
		bool router = forwarding_ipv6(interface->name);
		if (interface->link.index == 0 || router == interface->router)
			continue;
		interface->router = router;
		tell_engine(daemon, interface);
	}
}

void observe_all(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->interfaces.count; i++) {
		struct interface *interface = &daemon->interfaces.list[i];
		if (interface->link.index != 0)
			interface_attach(&daemon->interfaces, interface, daemon->runtime, daemon->now);
		interface->refusals_changed = true;
	}
	/* Interfaces that only the new configuration names have not been looked at yet. */
	note_reading(daemon, rtnl_resync(daemon->rtnl));
}
