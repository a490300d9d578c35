#include "surroundings.h"

#include <stdlib.h>

void surroundings_note_link(struct surroundings *surroundings, const struct rtnl_link *link, bool gone)
{
	size_t i = 0;

	surroundings->changed = true;
	while (i < surroundings->link_count && surroundings->links[i].index != link->index)
		i++;
	if (gone) {
		if (i < surroundings->link_count)
			surroundings->links[i] = surroundings->links[--surroundings->link_count];
		return;
	}
	if (i == surroundings->link_count) {
		struct rtnl_link *grown = reallocarray(surroundings->links, i + 1, sizeof(*grown));
		if (grown == NULL)
			return;
		surroundings->links = grown;
		surroundings->link_count++;
	}
	surroundings->links[i] = *link;
}

static bool is_same(const struct rtnl_address *a, const struct rtnl_address *b)
{
	return a->link_index == b->link_index && a->address.prefix_length == b->address.prefix_length &&
	       address_equal(&a->address.address, &b->address.address);
}

void surroundings_note_address(struct surroundings *surroundings, const struct rtnl_address *address,
                               bool gone)
{
	size_t i = 0;

	surroundings->changed = true;
	/* Ours may be ten thousand, and say nothing of where the host is. */
	if (address->address.address.family != FAMILY_IPV4 || address->protocol == RTNL_ADDRESS_PROTOCOL)
		return;
	while (i < surroundings->address_count && !is_same(&surroundings->addresses[i], address))
		i++;
	if (gone) {
		if (i < surroundings->address_count)
			surroundings->addresses[i] = surroundings->addresses[--surroundings->address_count];
		return;
	}
	if (i == surroundings->address_count) {
		struct rtnl_address *grown = reallocarray(surroundings->addresses, i + 1, sizeof(*grown));
		if (grown == NULL)
			return;
		surroundings->addresses = grown;
		surroundings->address_count++;
	}
	surroundings->addresses[i] = *address;
}

void surroundings_forget(struct surroundings *surroundings)
{
	surroundings->link_count = 0;
	surroundings->address_count = 0;
	surroundings->changed = true;
}

void surroundings_free(struct surroundings *surroundings)
{
	free(surroundings->links);
	free(surroundings->addresses);
	*surroundings = (struct surroundings){0};
}

const struct rtnl_link *surroundings_find(const struct surroundings *surroundings, int link_index)
{
	for (size_t i = 0; i < surroundings->link_count; i++)
		if (surroundings->links[i].index == link_index)
			return &surroundings->links[i];
	return NULL;
}

int surroundings_taker(const struct surroundings *surroundings, const struct rtnl_link *link)
{
	if (link->master != 0)
		return link->master;
	for (size_t i = 0; i < surroundings->link_count; i++)
		if (surroundings->links[i].passthru && surroundings->links[i].lower == link->index)
			return surroundings->links[i].index;
	return 0;
}
