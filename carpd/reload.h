/*
 * A new configuration in the place of the old one, without disturbing what did not change.
 */
#ifndef CARPD_RELOAD_H
#define CARPD_RELOAD_H

#include "daemon.h"

/* Groups that the new configuration lacks hand over and leave; true when all of them have. */
bool reload_begin(struct daemon *daemon, const struct runtime *next);
bool reload_is_ready(const struct daemon *daemon, const struct runtime *next);

/* Puts next into force; takes it over. */
void reload_finish(struct daemon *daemon, struct runtime *next);

#endif
