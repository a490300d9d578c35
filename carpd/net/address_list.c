#include "address_list.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 8

static int compare(const struct rtnl_address *a, const struct address *address, int prefix_length)
{
	int order = address_compare(&a->address.address, address);

	return order != 0 ? order : a->address.prefix_length - prefix_length;
}

/* Where it stands, or would. */
static size_t place_of(const struct address_list *addresses, const struct address *address, int prefix_length)
{
	size_t low = 0, high = addresses->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(&addresses->list[middle], address, prefix_length) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool stands_at(const struct address_list *addresses, size_t place, const struct rtnl_address *address)
{
	return place < addresses->count && compare(&addresses->list[place], &address->address.address,
	                                           address->address.prefix_length) == 0;
}

static bool make_room(struct address_list *addresses)
{
	if (addresses->count < addresses->room)
		return true;
	size_t room = addresses->room == 0 ? ROOM_FIRST : 2 * addresses->room;
	struct rtnl_address *list = reallocarray(addresses->list, room, sizeof(list[0]));
	if (list == NULL)
		return false;
	addresses->list = list;
	addresses->room = room;
	return true;
}

bool address_list_add(struct address_list *addresses, const struct rtnl_address *address)
{
	size_t place = place_of(addresses, &address->address.address, address->address.prefix_length);

	if (!stands_at(addresses, place, address)) {
		if (!make_room(addresses))
			return false;
		struct rtnl_address *here = &addresses->list[place];
		memmove(here + 1, here, (addresses->count++ - place) * sizeof(*here));
	}
	addresses->list[place] = *address;
	return true;
}

bool address_list_remove(struct address_list *addresses, const struct rtnl_address *address)
{
	size_t place = place_of(addresses, &address->address.address, address->address.prefix_length);

	if (!stands_at(addresses, place, address))
		return false;
	struct rtnl_address *here = &addresses->list[place];
	memmove(here, here + 1, (--addresses->count - place) * sizeof(*here));
	return true;
}

void address_list_free(struct address_list *addresses)
{
	free(addresses->list);
	*addresses = (struct address_list){0};
}

const struct rtnl_address *address_list_find(const struct address_list *addresses,
                                             const struct address *address)
{
	size_t place = place_of(addresses, address, 0);

	if (place == addresses->count || !address_equal(&addresses->list[place].address.address, address))
		return NULL;
	return &addresses->list[place];
}

const struct rtnl_address *address_list_next(const struct address_list *addresses,
                                             const struct rtnl_address *address)
{
	const struct rtnl_address *next = address + 1;

	if (next == addresses->list + addresses->count ||
	    !address_equal(&next->address.address, &address->address.address))
		return NULL;
	return next;
}
