/*
 * Whether an interface is a member of a multicast group.  A socket that joined cannot
 * tell: the kernel forgets the group together with the protocol's state of a link, as
 * when the MTU falls below what IPv6 needs, and leaves the socket in the belief.
 */
#ifndef CARPD_LINUX_MEMBERSHIP_H
#define CARPD_LINUX_MEMBERSHIP_H

#include <stdbool.h>

#include "core/address.h"

/* True also if it cannot be found out. */
bool membership_is_there(int link_index, const struct address *group);

#endif
