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
bool refusal_stands(const struct daemon *daemon, const struct interface *interface,
                    const struct address *address);

/* What the kernel has answered to taking an address; error 0 or errno. */
void refusal_note(struct daemon *daemon, struct interface *interface, const struct address *address,
                  int error, const char *text);

/* The engine hears of groups whose addresses are refused, or no longer. */
void refusal_follow(struct daemon *daemon);

/* To be called every few seconds: nobody tells of IPv6 that is switched on or off. */
void refusal_look(struct daemon *daemon);

/* Appends sentences that say which addresses are refused, why, and what would help. */
void refusal_describe(const struct daemon *daemon, const struct group *group, json_t *texts);

#endif
