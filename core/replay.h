/*
 * Who has sealed here, how far their sequences have come, and whether a sequence can
 * be of now (doc/protocol.md section 3).  Only verified seals reach this table, so
 * nobody without the key can fill it.
 */
#ifndef CARPD_CORE_REPLAY_H
#define CARPD_CORE_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "clock.h"
#include "drop.h"

#define REPLAY_SOURCES_MAX 8 /* per virtual host; the one silent for longest makes room */

/* Nobody's clock is so late as the year 2116; what is beyond would overflow. */
#define SEQUENCE_MAX (INT64_MAX / 2)

struct replay_source {
	struct address address; /* FAMILY_NONE: a free place */
	uint32_t sender;        /* the id in its seals: several hosts may share one address */
	uint64_t highest;       /* last sequence accepted */
	int64_t lead_ns;        /* of its sequences before our boot clock, at the instant: */
	instant heard;          /* when the last one was accepted */
};

struct replay {
	struct replay_source sources[REPLAY_SOURCES_MAX];
};

/* What a sequence is held against besides its source's former ones. */
struct replay_limits {
	uint64_t wall_ns;    /* our clock, nanoseconds since 1970 */
	int64_t window_ns;   /* so much before it the first sequence of a source may be; 0: anything */
	int64_t patience_ns; /* so old a later one may be */
};

/*
 * DROP_NONE and the marks moved up; DROP_REPLAY for a sequence that is not above the
 * highest of its source; DROP_STALE for one that is older than the limits allow: of a
 * source in the table by our boot clock, of another one by our wall clock.
 */
enum drop replay_check(struct replay *replay, const struct address *source, uint32_t sender,
                       uint64_t sequence, const struct replay_limits *limits, instant now);

/* How far the furthest of all is ahead of our boot clock, or INT64_MIN. */
int64_t replay_lead_ns(const struct replay *replay);

/* The entry of a source that speaks for itself and has sealed, or NULL. */
const struct replay_source *replay_find(const struct replay *replay, const struct address *source);

/* Puts back the marks of a source, from the state directory; heard may be before the clock's zero. */
void replay_restore(struct replay *replay, const struct replay_source *source);

#endif
