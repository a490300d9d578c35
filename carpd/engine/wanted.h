/*
 * What the kernel should have of ours: the addresses of the groups that this host serves, the routes to
 * their subnets, the routes of the configuration, and a bridge's entries for the virtual MACs.  It is
 * compared with what is there, and the difference goes to the kernel as one batch, whatever has made it: a
 * takeover, a hand-over, a reload, an address that somebody removed or that the kernel had refused, an
 * interface that is renamed, an address of the host's own that came or went.
 */
#ifndef CARPD_WANTED_H
#define CARPD_WANTED_H

#include "daemon.h"

/*
 * Looks at what has been marked only: groups (daemon_move), and interfaces whose own addresses changed or
 * that have something left over.  What is there is what the kernel has told and what was asked of it since.
 */
void wanted_bring_about(struct daemon *daemon);

/*
 * The engine hears of groups that have their addresses, and whose first advert waits for that: the kernel
 * routes to a new IPv6 address only after a work queue has run, which under load takes milliseconds, and a
 * predecessor that hears the advert stops at once.  To be called when the engine's actions have been carried
 * out, since what is still to be dropped is routed too; and again at daemon->look_for_routes.
 */
void wanted_look_for_routes(struct daemon *daemon);

#endif
