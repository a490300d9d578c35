/*
 * The counters that unsealed adverts carried lately (protocol.md part 3).  A
 * counter that comes again was recorded and played back, unless its sender never
 * changes it, as OpenBSD does not.
 */
#ifndef CARPD_CORE_SIGHTING_H
#define CARPD_CORE_SIGHTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "advert.h"

#define SIGHTINGS_MAX 16

struct sighting {
	uint64_t counter;
	struct address source;
	uint8_t advbase, advskew, demote;
	bool constant; /* its sender has used it again, with nothing that told against it */
	bool recent;   /* and since its place in the ring was last looked at */
};

struct sightings {
	struct sighting ring[SIGHTINGS_MAX];
	uint8_t count;
	uint8_t next;
};

enum sighting_verdict {
	SIGHTING_NEW,
	SIGHTING_REPEATED, /* the same advert again, from a sender whose counter moves */
	SIGHTING_ALTERED,  /* the same counter and digest under other header fields or another source */
};

/* Judges an advert whose digest has been verified and remembers it if it is new. */
enum sighting_verdict sighting_judge(struct sightings *sightings, const struct address *source,
                                     const struct advert *advert);

#endif
