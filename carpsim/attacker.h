/*
 * Somebody on the segments without a key: has recorded what was sealed, plays it back,
 * late, altered or under another source, and keeps frames from single hosts.
 */
#ifndef CARPSIM_ATTACKER_H
#define CARPSIM_ATTACKER_H

#include <stdbool.h>
#include <stddef.h>

#include "queue.h"

struct world;

struct attacker {
	struct flight *recorded; /* NULL: there is no attacker */
	size_t count;
	size_t latest; /* the place of the last one */
};

void attacker_open(struct world *world);
void attacker_close(struct world *world);

/* What goes over a segment. */
void attacker_overhears(struct world *world, const struct flight *flight);
/* Whether it keeps this frame from the host to, to play it back to it later. */
bool attacker_withholds(struct world *world, const struct flight *flight, size_t to);
/* Plays something back, and decides when to do so again. */
void attacker_strikes(struct world *world);

#endif
