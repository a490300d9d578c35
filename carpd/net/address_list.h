/*
 * Addresses that the kernel has told of, in order, so that ten thousand of them are found as soon as ten.
 */
#ifndef CARPD_ADDRESS_LIST_H
#define CARPD_ADDRESS_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "linux/rtnl.h"

struct address_list {
	struct rtnl_address *list; /* by address, then prefix length */
	size_t count, room;
};

/* In the place of what was known of the same address and prefix length.  False if there is no memory. */
bool address_list_add(struct address_list *addresses, const struct rtnl_address *address);
/* False if it is not there. */
bool address_list_remove(struct address_list *addresses, const struct rtnl_address *address);
void address_list_free(struct address_list *addresses);

/* The first with this address, whatever its prefix length; the others stand behind it.  NULL: none. */
const struct rtnl_address *address_list_find(const struct address_list *addresses,
                                             const struct address *address);
/* The next of the same address, or NULL. */
const struct rtnl_address *address_list_next(const struct address_list *addresses,
                                             const struct rtnl_address *address);

#endif
