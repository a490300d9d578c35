/*
 * Whether an interface is a member of a multicast group.  The socket that joined cannot
 * tell: the kernel may forget a membership without telling it (doc/linux.md 5.3).
 */
#ifndef CARPD_LINUX_MEMBERSHIP_H
#define CARPD_LINUX_MEMBERSHIP_H

#include <stdbool.h>

#include "core/address.h"

/* True if it cannot be found out. */
bool membership_is_there(int link_index, const struct address *group);

#endif
