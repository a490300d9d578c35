/*
 * What a group has taken, and the kernel routes.  Its first advert waits for that: the
 * kernel routes to a new IPv6 address only after a work queue has run, which under load
 * takes milliseconds, and a predecessor that hears the advert stops at once.
 */
#ifndef CARPD_ROUTED_H
#define CARPD_ROUTED_H

#include "daemon.h"

/*
 * The engine hears of it.  Once its actions have been carried out, since what is still to
 * be dropped is routed too; and again at daemon->look_for_routes.
 */
void routed_look(struct daemon *daemon);

#endif
