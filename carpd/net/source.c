#include "source.h"

static bool is_near_a_peer(const struct config_group *group, const struct shared_address *own)
{
	for (size_t i = 0; i < group->peer_count; i++)
		if (interface_same_subnet(own, &group->peers[i]))
			return true;
	return false;
}

static bool is_near_what_is_shared(const struct config_group *group, const struct shared_address *own)
{
	for (size_t i = 0; i < group->address_count; i++)
		if (interface_same_subnet(own, &group->addresses[i].address) ||
		    interface_same_subnet(&group->addresses[i], &own->address))
			return true;
	return false;
}

/* Every host has a link-local address; but a peer behind a router cannot answer it, nor one that lists our
 * global one expect it. */
static bool wants_link_local(const struct config_group *group)
{
	for (size_t i = 0; i < group->peer_count; i++)
		if (group->peers[i].family == FAMILY_IPV6 && !address_is_link_local(&group->peers[i]))
			return false;
	return true;
}

/* The more, the better; what comes first counts more than all that follows. */
static unsigned worth(const struct config_group *group, const struct rtnl_address *own,
                      const struct address *current)
{
	const struct address *address = &own->address.address;
	unsigned worth = 1;

	worth = 2 * worth +
	        (address->family == FAMILY_IPV4 || address_is_link_local(address) == wants_link_local(group));
	worth = 2 * worth + is_near_a_peer(group, &own->address);
	worth = 2 * worth + is_near_what_is_shared(group, &own->address);
	worth = 2 * worth + !own->fleeting;
	worth = 2 * worth + address_equal(address, current);
	return worth;
}

struct address source_choose(const struct interface *interface, const struct runtime *runtime, size_t group,
                             enum family family, const struct address *current)
{
	const struct config_group *config = &runtime->config->groups[group];
	const struct address *wanted = family == FAMILY_IPV4 ? &config->source_ipv4 : &config->source_ipv6;
	struct address source = {0};
	unsigned best = 0;

	if (wanted->family != FAMILY_NONE)
		return *wanted;
	for (size_t i = 0; i < interface->others.count; i++) {
		const struct rtnl_address *own = &interface->others.list[i];
		if (own->address.address.family != family || own->tentative ||
		    !interface_is_own(own, runtime))
			continue;
		unsigned its = worth(config, own, current);
		if (its > best) {
			source = own->address.address;
			best = its;
		}
	}
	return source;
}
