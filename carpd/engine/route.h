/*
 * The routes of the configuration: there while this host serves their group.  The kernel removes every route
 * of an interface with its last IPv4 address, which in a network with one address for all is the shared one.
 */
#ifndef CARPD_ROUTE_H
#define CARPD_ROUTE_H

#include <jansson.h>
#include <stdbool.h>

struct daemon;
struct group;

/* At the start and after a reload; what both configurations have stays as it is, the rest is dropped. */
void route_follow_config(struct daemon *daemon);
void route_free(struct daemon *daemon);

/* Adds to the batch what is to be there and is not, and the reverse. */
void route_ask(struct daemon *daemon);
/* False if tag is none of route_ask's. */
bool route_note_answer(struct daemon *daemon, const void *tag, int error);
/* Now and then: puts back what somebody removed, and tries again what was refused. */
void route_look(struct daemon *daemon);

/*
 * Around a batch of changes that may take the last IPv4 address off an interface: what the kernel removes
 * with it is told, since nobody else will miss it before this host is master again.
 */
void route_remember(struct daemon *daemon, const struct group *leaving);
void route_tell_lost(struct daemon *daemon);

void route_problems(const struct daemon *daemon, const struct group *group, json_t *problems);

#endif
