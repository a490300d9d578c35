/*
 * Addresses that the kernel refuses, and lastingly so: known from the state of the
 * interface before this host is master, or from trying.  The rest of the group is
 * served, and the group demoted, so that a host goes first that can serve all.
 */
#ifndef CARPD_REFUSAL_H
#define CARPD_REFUSAL_H

#include <jansson.h>

#include "daemon.h"

/* Not to be asked for now. */
bool refusal_stands(const struct interface *interface, const struct address *address, instant now);
/* What the kernel answered when it was asked for last, or NULL if it did not refuse. */
struct refusal *refusal_find(const struct interface *interface, const struct address *address);

/* What the kernel has answered to taking an address; error 0 or errno.  True if it refuses no longer. */
bool refusal_note(struct interface *interface, const struct address *address, int error, const char *text,
                  instant now);

/* The engine hears of groups whose addresses are refused, or no longer. */
void refusal_follow(struct engine *engine, struct interfaces *interfaces, instant now);

/*
 * To be called every few seconds: nobody tells of IPv6 that is switched on or off, and what was refused is
 * tried again.
 */
void refusal_look(struct daemon *daemon);

/* Appends sentences that say which addresses are refused, why, and what would help. */
void refusal_describe(const struct daemon *daemon, const struct group *group, json_t *texts);

#endif
