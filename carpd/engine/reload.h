/*
 * A new configuration in the place of the old one, without disturbing what did not change.
 */
#ifndef CARPD_RELOAD_H
#define CARPD_RELOAD_H

#include "daemon.h"

/*
 * Reads the configuration in fd, which is closed.  Groups that it lacks hand over
 * and leave.  NULL, or why nothing changes.
 */
const char *reload_begin(struct daemon *daemon, int fd);

/* Whether one has begun, and the groups that it lacks have left. */
bool reload_is_ready(const struct daemon *daemon);

/* Puts the new one into force, the groups' interfaces included. */
void reload_finish(struct daemon *daemon);

#endif
