/*
 * The counters of unsealed adverts, and which of them came before (doc/protocol.md section
 * 6).  A counter that comes again was recorded and played back, or its honest sender was set
 * back by an old advert.  Nobody can tell which, so a suspicion alone never makes a second
 * master (vhost_hear_suspect).
 */
#ifndef CARPD_CORE_SIGHTING_H
#define CARPD_CORE_SIGHTING_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "advert.h"
#include "clock.h"

#define SIGHTING_RUNS_MAX    16
#define SIGHTING_SOURCES_MAX 8

/* Counters in a row, from one source. */
struct sighting {
	uint64_t first, last;
	struct address source;
	uint8_t advbase, advskew, demote; /* of the latest advert */
	uint64_t heard; /* the number of its latest advert, of all that were heard; 0: no run */
};

/* What a source does with its counter, by its own adverts alone. */
struct habit {
	struct address source; /* FAMILY_NONE: a free place */
	uint64_t counter;      /* its latest */
	instant since;         /* it has used this one only, without a long pause */
	instant heard;
	uint8_t different; /* counters; counted up to what matters */
	uint8_t steps;     /* of its counter in a row; likewise */
	bool keeps;        /* one counter, as OpenBSD does */
};

struct sightings {
	struct sighting runs[SIGHTING_RUNS_MAX]; /* the one not heard for longest makes room */
	struct habit habits[SIGHTING_SOURCES_MAX];
	uint64_t heard;
};

enum sighting_verdict {
	SIGHTING_NEW,
	SIGHTING_REPEATED, /* the same advert again, from a sender whose counter moves */
	SIGHTING_ALTERED,  /* the same counter and digest under other header fields or another source */
};

/* Judges an advert whose digest has been verified and remembers it. */
enum sighting_verdict sighting_judge(struct sightings *sightings, const struct address *source,
                                     const struct advert *advert, instant now);

#endif
