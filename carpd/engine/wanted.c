#include "wanted.h"

#include <string.h>

#include "carpd/log/log.h"
#include "refusal.h"
#include "route.h"

struct answers {
	struct daemon *daemon;
	bool after_refusal; /* a success is news */
};

static struct rtnl_address as_ours(const struct interface *interface, const struct address *address,
                                   struct rtnl_address_flags flags)
{
	return (struct rtnl_address){
	        .link_index = interface->link.index,
	        .address = {.address = *address, .prefix_length = (uint8_t)(8 * address_bytes(address))},
	        .protocol = RTNL_ADDRESS_PROTOCOL,
	        .scope_host = flags.scope_host && address->family == FAMILY_IPV4,
	};
}

/* What comes back with the answer, and nobody writes to: an address, or of its route the prefix length. */
static void *tag_of(const void *what)
{
	void *tag;

	memcpy(&tag, &what, sizeof(tag));
	return tag;
}

/* The group that shares what tag points into, or is tag. */
static struct group *find_group(const struct engine *engine, const void *tag, size_t *ret_offset)
{
	for (size_t i = 0; i < engine->settings->group_count; i++) {
		struct group *group = &engine->groups[i];
		const struct group_settings *settings = group->settings;
		*ret_offset = (uintptr_t)tag - (uintptr_t)settings->addresses;
		if (group == tag || *ret_offset < settings->address_count * sizeof(settings->addresses[0]))
			return group;
	}
	return NULL;
}

static void note_answer(void *context, void *tag, int error, const char *text)
{
	struct answers *answers = context;
	struct daemon *daemon = answers->daemon;
	struct group *group;
	size_t offset;

	if (route_note_answer(daemon, tag, error) || (error == 0 && !answers->after_refusal))
		return;
	group = tag != NULL ? find_group(daemon->engine, tag, &offset) : NULL;
	if (group != NULL && tag != group) {
		const struct shared_address *shared =
		        &group->settings->addresses[offset / sizeof(struct shared_address)];
		/* That its route is there says nothing of the address. */
		if ((error != 0 || tag == shared) &&
		    refusal_note(daemon_interface_of(daemon, group), &shared->address, -error, text,
		                 daemon->now))
			vhost_announce(daemon->engine, &group->nodes[0].vhost);
	} else if (error != 0 && group == NULL) {
		log_warning("the kernel refused to give something back: %s%s%s", strerror(-error),
		            text[0] != '\0' ? ": " : "", text);
		daemon->look_for_losses = true; /* and for what is left */
	} else if (error != 0 && group->masters > 0) {
		log_error("group %s: the kernel refused its MAC: %s%s%s", group->settings->name,
		          strerror(-error), text[0] != '\0' ? ": " : "", text);
		engine_take_failed(daemon->engine, group, -error, daemon->now);
	}
}

/* A bridge learns the virtual MAC with the addresses, and forgets it with them or when a reload changes it.
 */
static void tell_bridge(struct daemon *daemon, struct interface *interface, struct group *group)
{
	if (interface->link.kind != LINK_BRIDGE)
		return;
	for (size_t i = 0; i < group->node_count; i++) {
		struct mac mac = mac_virtual(group->nodes[i].vhost.vhid);
		if (group->masters > 0 && group->virtual_mac)
			rtnl_learn_mac(daemon->rtnl, interface->link.index, &mac, group);
		else
			rtnl_forget_mac(daemon->rtnl, interface->link.index, &mac, NULL);
	}
}

static bool is_same_subnet(const struct shared_address *a, const struct shared_address *b)
{
	return a->prefix_length == b->prefix_length && interface_same_subnet(a, &b->address);
}

static struct rtnl_address subnet_of(const struct shared_address *shared)
{
	return (struct rtnl_address){
	        .address = {.address = rtnl_network_of(shared), .prefix_length = shared->prefix_length}};
}

/* An address of the host's own brings the route to its subnet. */
static bool lacks_route(const struct daemon *daemon, const struct interface *interface,
                        const struct shared_address *subnet)
{
	return !address_is_link_local(&subnet->address) &&
	       interface_own_in(interface, daemon->runtime, subnet) == NULL;
}

/* Even if we have put it there already: the kernel removes it with the interface's last IPv4 address. */
static void add_route(struct daemon *daemon, struct interface *interface, const struct shared_address *shared)
{
	const struct rtnl_address subnet = subnet_of(shared);

	if (!lacks_route(daemon, interface, shared))
		return;
	(void)address_list_add(&interface->subnets, &subnet);
	rtnl_add_route(daemon->rtnl, interface->link.index, shared, tag_of(&shared->prefix_length));
}

static bool needs_route(const struct daemon *daemon, const struct interface *interface,
                        const struct shared_address *subnet)
{
	if (!lacks_route(daemon, interface, subnet))
		return false;
	for (size_t g = 0; g < daemon->engine->settings->group_count; g++) {
		const struct group *group = &daemon->engine->groups[g];
		if (group->masters == 0 || daemon_interface_of(daemon, group) != interface)
			continue;
		for (size_t a = 0; a < group->settings->address_count; a++)
			if (is_same_subnet(&group->settings->addresses[a], subnet))
				return true;
	}
	return false;
}

static void remove_route(struct daemon *daemon, struct interface *interface,
                         const struct shared_address *shared)
{
	const struct rtnl_address subnet = subnet_of(shared);

	if (!needs_route(daemon, interface, shared) && address_list_remove(&interface->subnets, &subnet))
		rtnl_remove_route(daemon->rtnl, interface->link.index, &subnet.address, NULL);
}

/* To the kernel, an IPv4 address with another prefix length is another one. */
static bool is_there(const struct interface *interface, const struct address *address)
{
	const struct rtnl_address *stranger = interface_stranger(interface, address);

	return address_list_find(&interface->ours, address) != NULL ||
	       (stranger != NULL &&
	        (address->family == FAMILY_IPV6 || stranger->address.prefix_length == 32));
}

static bool has_scope(const struct interface *interface, const struct address *address, bool host)
{
	const struct rtnl_address *there = address_list_find(&interface->ours, address);

	while (there != NULL && there->scope_host == host)
		there = address_list_next(&interface->ours, there);
	return there == NULL;
}

static void serve_address(struct daemon *daemon, struct interface *interface,
                          const struct shared_address *shared, struct rtnl_address_flags flags, bool moved)
{
	const struct address *address = &shared->address;
	const struct rtnl_address ours = as_ours(interface, address, flags);
	bool take = moved && (!is_there(interface, address) || refusal_find(interface, address) != NULL);
	bool rescope = !take && interface->own_changed && address->family == FAMILY_IPV4 &&
	               !has_scope(interface, address, flags.scope_host);

	if (take)
		rtnl_take_address(daemon->rtnl, interface->link.index, address, flags, tag_of(shared));
	if (rescope)
		rtnl_rescope_address(daemon->rtnl, interface->link.index, address, flags, tag_of(shared));
	if (take || rescope)
		(void)address_list_add(&interface->ours, &ours);
	if (take || interface->own_changed)
		add_route(daemon, interface, shared);
}

/* What somebody removed comes back when the group is moved (core/fight.h), and not on other occasions. */
static void serve_group(struct daemon *daemon, struct interface *interface, struct group *group, bool moved)
{
	const struct group_settings *settings = group->settings;
	struct rtnl_address_flags flags = {.scope_host = interface_has_own_ipv4(interface, daemon->runtime)};

	if (moved)
		tell_bridge(daemon, interface, group);
	for (size_t i = 0; i < settings->address_count; i++)
		if (!refusal_stands(interface, &settings->addresses[i].address, daemon->now))
			serve_address(daemon, interface, &settings->addresses[i], flags, moved);
}

/* One that stands in our place is not in the list of ours, and stays. */
static void drop_address(struct daemon *daemon, struct interface *interface, const struct address *address)
{
	const struct rtnl_address ours = as_ours(interface, address, (struct rtnl_address_flags){0});

	if (address_list_remove(&interface->ours, &ours))
		rtnl_drop_address(daemon->rtnl, interface->link.index, &ours.address.address, NULL);
}

/* The last first, which takes the least time to strike from an ordered list. */
static void drop_group(struct daemon *daemon, struct interface *interface, struct group *group)
{
	const struct group_settings *settings = group->settings;

	tell_bridge(daemon, interface, group);
	/* Routes go first: without its address the kernel could not tell ours from the host's. */
	for (size_t i = settings->address_count; i-- > 0 && interface->subnets.count > 0;)
		if (i + 1 == settings->address_count ||
		    !is_same_subnet(&settings->addresses[i], &settings->addresses[i + 1]))
			remove_route(daemon, interface, &settings->addresses[i]);
	for (size_t i = settings->address_count; i-- > 0;)
		drop_address(daemon, interface, &settings->addresses[i].address);
}

/* With our mark, and of no group that serves. */
static void drop_leftovers(struct daemon *daemon, struct interface *interface)
{
	for (size_t i = interface->ours.count; i-- > 0;) {
		const struct address *address = &interface->ours.list[i].address.address;
		const struct group *group = daemon_find_group(daemon, interface->link.index, address);
		if (group == NULL || group->masters == 0)
			drop_address(daemon, interface, address);
	}
}

static void follow_interface(struct daemon *daemon, struct interface *interface)
{
	for (size_t i = interface->own_changed ? interface->subnets.count : 0; i-- > 0;)
		remove_route(daemon, interface, &interface->subnets.list[i].address);
	if (interface->leftovers)
		drop_leftovers(daemon, interface);
	interface->own_changed = interface->leftovers = false;
}

/*
 * What is to be there first: with the last IPv4 address of an interface the kernel removes its routes.  An
 * interface that does not exist has taken everything with it.
 */
static void ask_kernel(struct daemon *daemon)
{
	size_t count = daemon->engine->settings->group_count;

	for (size_t g = 0; g < count; g++) {
		struct group *group = &daemon->engine->groups[g];
		struct interface *interface = daemon_interface_of(daemon, group);
		if (group->masters > 0 && interface->link.index != 0 &&
		    (daemon->moved[g] || interface->own_changed))
			serve_group(daemon, interface, group, daemon->moved[g]);
	}
	for (size_t g = 0; g < count; g++) {
		struct group *group = &daemon->engine->groups[g];
		struct interface *interface = daemon_interface_of(daemon, group);
		if (daemon->moved[g] && group->masters == 0 && interface->link.index != 0)
			drop_group(daemon, interface, group);
	}
	for (size_t i = 0; i < daemon->interfaces.count; i++)
		if (daemon->interfaces.list[i].link.index != 0)
			follow_interface(daemon, &daemon->interfaces.list[i]);
	route_ask(daemon);
}

void wanted_bring_about(struct daemon *daemon)
{
	size_t count = daemon->engine->settings->group_count;
	struct answers answers = {.daemon = daemon};

	if (!daemon->wanted_changed)
		return;
	daemon->wanted_changed = false;
	for (size_t g = 0; g < count; g++)
		if (daemon->moved[g] && daemon->engine->groups[g].masters == 0)
			route_remember(daemon, &daemon->engine->groups[g]);
	ask_kernel(daemon);
	memset(daemon->moved, 0, count * sizeof(daemon->moved[0]));
	for (size_t i = 0; i < daemon->interfaces.count; i++)
		answers.after_refusal |= daemon->interfaces.list[i].refusal_count > 0;
	int error = rtnl_commit(daemon->rtnl, note_answer, &answers);
	if (error < 0) {
		log_error("rtnetlink does not answer: %s", strerror(-error));
		daemon->look_for_losses = true;
	}
	refusal_follow(daemon->engine, &daemon->interfaces, daemon->now);
	route_tell_lost(daemon);
}

/* Nobody tells of the route, so we look this often. */
#define LOOK_EVERY_NS (500 * NS_PER_US)

/* IPv4 is in place with the answer to the request. */
static bool is_routed(const struct daemon *daemon, const struct group *group)
{
	const struct group_settings *settings = group->settings;
	const struct interface *interface = &daemon->interfaces.list[settings->parent];

	for (size_t i = 0; i < settings->address_count; i++) {
		const struct address *address = &settings->addresses[i].address;
		if (address->family == FAMILY_IPV6 && !refusal_stands(interface, address, daemon->now) &&
		    !rtnl_delivers_locally(daemon->rtnl, interface->link.index, address))
			return false;
	}
	return true;
}

void wanted_look_for_routes(struct daemon *daemon)
{
	daemon->look_for_routes = INSTANT_NEVER;
	for (size_t i = 0; i < daemon->engine->settings->group_count; i++) {
		struct group *group = &daemon->engine->groups[i];
		if (!engine_is_taking(group))
			continue;
		if (is_routed(daemon, group))
			engine_taken(daemon->engine, group, daemon->now);
		else
			daemon->look_for_routes = instant_after(daemon->now, LOOK_EVERY_NS);
	}
}
