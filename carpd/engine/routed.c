#include "routed.h"

#include "refusal.h"

/* Nobody tells of the route, so we look this often. */
#define LOOK_EVERY_NS (500 * NS_PER_US)

/* IPv4 is in place with the answer to the request. */
static bool is_routed(const struct daemon *daemon, const struct group *group)
{
	const struct group_settings *settings = group->settings;
	const struct interface *interface = &daemon->interfaces.list[settings->parent];

	for (size_t i = 0; i < settings->address_count; i++) {
		const struct address *address = &settings->addresses[i].address;
		if (address->family == FAMILY_IPV6 && !refusal_stands(daemon, interface, address) &&
		    !rtnl_delivers_locally(daemon->rtnl, interface->link.index, address))
			return false;
	}
	return true;
}

void routed_look(struct daemon *daemon)
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
