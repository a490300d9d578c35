/*
 * The counters that unsealed adverts carried lately (protocol.md part 3).  One
 * that comes again was recorded and played back, unless its sender may honestly
 * have used it twice:
 *
 *   - OpenBSD never changes its counter;
 *   - all others count on from whatever they heard last.  So beside OpenBSD, and
 *     where there are several of them, they set each other back, most of all after
 *     a split in which two counted on from the same number.
 *
 * There nothing is told: no honest peer may be ignored.  What remains is a group
 * of carpd hosts with one peer that counts, and sources that were never heard.
 */
#ifndef CARPD_CORE_SIGHTING_H
#define CARPD_CORE_SIGHTING_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "advert.h"

#define SIGHTING_RUNS_MAX    16
#define SIGHTING_SOURCES_MAX 8

/* Counters in a row, from one source: of a peer that counts all, of OpenBSD a single one. */
struct sighting {
	uint64_t first, last;
	struct address source;
	uint8_t advbase, advskew, demote; /* of the latest advert */
	uint8_t different;                /* counters in it, as far as it matters */
	bool constant;                    /* its sender used one again, with nothing that told against it */
	uint64_t heard;                   /* number of its latest advert among all; 0: no run */
};

struct sightings {
	struct sighting runs[SIGHTING_RUNS_MAX]; /* the one not heard for longest makes room */
	/* Who was heard with a counter of his own, which nobody can make up. */
	struct address sources[SIGHTING_SOURCES_MAX];
	uint8_t next_source;
	uint64_t heard;
};

enum sighting_verdict {
	SIGHTING_NEW,
	SIGHTING_REPEATED, /* the same advert again, from a sender whose counter moves */
	SIGHTING_ALTERED,  /* the same counter and digest under other header fields or another source */
};

/* Judges an advert whose digest has been verified and remembers it if it counts. */
enum sighting_verdict sighting_judge(struct sightings *sightings, const struct address *source,
                                     const struct advert *advert);

#endif
