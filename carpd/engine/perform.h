/*
 * The engine's actions, carried out.
 */
#ifndef CARPD_PERFORM_H
#define CARPD_PERFORM_H

#include "daemon.h"

/*
 * Until none is left, since results are events that may ask for more.  Within a
 * turn gates are shut first, then all addresses go to the kernel in one batch,
 * then come the adverts with what follows them: so 255 groups that rise together
 * cost one system call for their addresses and not 255.
 */
void perform_all(struct daemon *daemon);

/* An address that a reload took from a group while this host serves it. */
void perform_drop_address(struct daemon *daemon, struct interface *interface,
                          const struct shared_address *address);

/* One that the kernel has refused before, for a group that this host is master of. */
void perform_take_address(struct daemon *daemon, struct interface *interface, struct group *group,
                          const struct shared_address *address);

/*
 * What this host serves on an interface that it is about to lose sight of.  Reads no
 * events, so that a handler of events may call it.
 */
void perform_leave(struct daemon *daemon, struct interface *interface);

/* An address of the host's own came or went: the scope of the shared ones and the routes to their subnets
 * follow. */
void perform_follow_own_addresses(struct daemon *daemon);

#endif
