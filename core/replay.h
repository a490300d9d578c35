/*
 * Who has sealed here, and how far their sequences have come (design section 5).
 * Only verified seals reach this table, so nobody without the key can fill it.
 */
#ifndef CARPD_CORE_REPLAY_H
#define CARPD_CORE_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "clock.h"
#include "drop.h"

#define REPLAY_SOURCES_MAX 8 /* per virtual host; the one silent for longest makes room */

struct replay_source {
	struct address address; /* FAMILY_NONE: a free place */
	uint32_t sender;        /* the id in its seals: several hosts may share one address */
	uint64_t highest;       /* last sequence accepted */
	instant heard;          /* when that was */
};

struct replay {
	struct replay_source sources[REPLAY_SOURCES_MAX];
};

/*
 * DROP_NONE and the mark moved up, or DROP_REPLAY, or, for a source not in the
 * table, DROP_STALE if sequence is further than window_ns from wall_ns (0: no
 * such check).  sequence and wall_ns are both nanoseconds since 1970.
 */
enum drop replay_check(struct replay *replay, const struct address *source, uint32_t sender,
                       uint64_t sequence, uint64_t wall_ns, int64_t window_ns, instant now);

/* The entry of a source that speaks for itself and has sealed, or NULL. */
const struct replay_source *replay_find(const struct replay *replay, const struct address *source);

/* Puts back the mark of a source that speaks for itself, from the state directory. */
void replay_restore(struct replay *replay, const struct address *source, uint64_t highest, instant now);

#endif
