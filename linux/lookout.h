/*
 * Who else claims an address: ARP by any interface, and neighbour advertisements that reach this
 * host.  Two sockets for all interfaces, behind kernel filters that know the addresses.  So other
 * traffic costs nothing, and other ARP wakes nobody.
 */
#ifndef CARPD_LINUX_LOOKOUT_H
#define CARPD_LINUX_LOOKOUT_H

#include <stddef.h>

#include "core/address.h"

struct lookout {
	int arp_fd;
	int neighbour_fd; /* -1: the host has no IPv6 */
};

/* 0 or -errno.  Nothing is heard before the first lookout_watch. */
int lookout_open(struct lookout *lookout);
void lookout_close(struct lookout *lookout);

/* Only these addresses from now on.  If they are too many for a filter, all. */
int lookout_watch(struct lookout *lookout, const struct address *addresses, size_t count);

/* Somebody claimed address at that link, also this host itself.  mac is zero if the message has none. */
typedef void lookout_heard(void *context, int link_index, const struct address *address,
                           const struct mac *mac);
/* Hands over what is waiting; in a flood it stops after a while and the descriptors stay ready. */
void lookout_receive(struct lookout *lookout, lookout_heard *heard, void *context);

#endif
