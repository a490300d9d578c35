/*
 * What rtnetlink says about the interfaces, brought to the engine.
 */
#ifndef CARPD_OBSERVE_H
#define CARPD_OBSERVE_H

#include "daemon.h"

/* Opens rtnetlink and reads everything once.  0 or -errno. */
int observe_open(struct daemon *daemon);

/*
 * Reads what has happened into the picture of the kernel, and tells the engine.  What is to be done about it
 * is marked only, and left to perform_all.
 */
void observe_read(struct daemon *daemon);
/* Whether something is left that no event will bring: it is to be read again after a while. */
bool observe_is_owed(const struct daemon *daemon);
/*
 * Gives up interfaces that somebody took or renamed, once perform_all has given back what we had on them.
 * True if the engine was told of something.
 */
bool observe_let_go(struct daemon *daemon);

/* Whether interfaces have begun or ceased to forward IPv6, which masters announce. */
void observe_routers(struct daemon *daemon);

/* Attaches every interface to its groups and tells the engine: after a reload. */
void observe_all(struct daemon *daemon);

#endif
