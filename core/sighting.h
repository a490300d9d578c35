/*
 * The counters that unsealed adverts carried lately.  All but OpenBSD, which never
 * changes its own, count on from whatever they heard last; so one that comes again
 * from a source that counts was recorded and played back, or its sender has heard
 * an old advert and was set back by it.  Nobody can tell these two apart, so what
 * is suspected here may never be enough to pass a master over (vhost_hear_suspect).
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
	uint64_t heard;                   /* number of its latest advert among all; 0: no run */
};

/* What a source does with its counter, learnt over real time and of this source alone. */
struct habit {
	struct address source; /* FAMILY_NONE: a free place */
	uint64_t counter;      /* its latest */
	instant since;         /* it has used no other since then, without a long pause */
	instant heard;
	uint8_t different; /* counters; no more than matter */
	uint8_t steps;     /* in a row, likewise */
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
