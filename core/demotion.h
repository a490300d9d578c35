/*
 * Reasons why this host would rather not be master.  Each has a name and a value, and
 * some end by themselves.  The BSDs have a bare sum, and nobody can tell what is left
 * in it from what (doc/carp.md 4.7).
 */
#ifndef CARPD_CORE_DEMOTION_H
#define CARPD_CORE_DEMOTION_H

#include <stdbool.h>
#include <stddef.h>

#include "clock.h"

#define DEMOTION_NAME_MAX 48
#define DEMOTIONS_MAX     64
#define DEMOTION_SUM_MAX  255 /* it travels in one byte */

/* The advertised advskew of a demoted host is at least this: the dialect of all but OpenBSD. */
#define DEMOTED_ADVSKEW 240

/* Which groups a reason demotes: those of one demotion group, or all.  The numbers mean something in one
 * configuration only. */
#define DEMOTION_EVERYWHERE (-1)

struct demotion {
	char name[DEMOTION_NAME_MAX]; /* empty: a free place */
	int value;                    /* 1..255 */
	int scope;
	instant since;
	instant until; /* INSTANT_NEVER: until it is lifted */
};

struct demotions {
	struct demotion reasons[DEMOTIONS_MAX];
};

/* Adds a reason or changes the one of that name.  False if the table is full or the name empty. */
bool demotion_raise(struct demotions *demotions, const char *name, int value, int scope, instant now,
                    instant until);
/* False if there is no such reason. */
bool demotion_lift(struct demotions *demotions, const char *name);
/* Makes a reason demote other groups.  Nothing happens if there is no such reason. */
void demotion_rescope(struct demotions *demotions, const char *name, int scope);
const struct demotion *demotion_find(const struct demotions *demotions, const char *name);
/* What the groups of scope add up to, at most DEMOTION_SUM_MAX. */
uint8_t demotion_sum(const struct demotions *demotions, int scope);
/* Takes out a reason whose time is over at now.  False if there is none. */
bool demotion_expire(struct demotions *demotions, instant now, struct demotion *ret_expired);
instant demotion_deadline(const struct demotions *demotions);

/* The engine's own reasons carry the name of what is wrong: "link eth1". */
void demotion_name(char name[DEMOTION_NAME_MAX], const char *what, const char *whose);

#endif
