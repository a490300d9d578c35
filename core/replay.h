/*
 * The sources of sealed adverts and how far their sequences have come: whether a sequence is
 * new, and can be of now (doc/protocol.md section 3).  Only verified seals reach this table,
 * so nobody without the key can fill it.
 */
#ifndef CARPD_CORE_REPLAY_H
#define CARPD_CORE_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "clock.h"
#include "drop.h"

#define REPLAY_SOURCES_MAX 8 /* per virtual host; the one silent for longest makes room */

/* The year 2116.  No clock is that far ahead, and sums beyond would overflow. */
#define SEQUENCE_MAX (INT64_MAX / 2)

struct replay_source {
	struct address address; /* FAMILY_NONE: a free place */
	uint32_t sender;        /* the id in its seals: several hosts may share one address */
	uint64_t highest;       /* last sequence accepted */
	int64_t lead_ns;        /* how far its sequences were ahead of our boot clock */
	instant heard;          /* when that was, and the last one was accepted */
};

struct replay {
	struct replay_source sources[REPLAY_SOURCES_MAX];
};

/* What a sequence is compared with, beside the earlier ones of its source. */
struct replay_limits {
	uint64_t wall_ns;    /* our clock, nanoseconds since 1970 */
	int64_t window_ns;   /* the first sequence of a source may be this much older than that; 0: any */
	int64_t patience_ns; /* a later one may be this old */
};

/*
 * DROP_NONE, and the sequence is remembered; DROP_REPLAY if it is not above the highest of
 * its source; DROP_STALE if it is older than the limits allow.  The age is counted by our boot
 * clock if the source is in the table, else by our wall clock.
 */
enum drop replay_check(struct replay *replay, const struct address *source, uint32_t sender,
                       uint64_t sequence, const struct replay_limits *limits, instant now);

/* How far the source with the latest sequences is ahead of our boot clock; INT64_MIN if there is none. */
int64_t replay_lead_ns(const struct replay *replay);

/* The entry of a source that has sealed under an address of its own, or NULL. */
const struct replay_source *replay_find(const struct replay *replay, const struct address *source);

/* Puts back what the state directory has of a source; heard may be before the boot clock's zero. */
void replay_restore(struct replay *replay, const struct replay_source *source);

#endif
