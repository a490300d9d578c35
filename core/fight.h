/*
 * Somebody removes our addresses.  The first time they are put back at once.  If it goes on,
 * another program does it: then we wait longer each time, so that neither of us is kept busy.
 */
#ifndef CARPD_CORE_FIGHT_H
#define CARPD_CORE_FIGHT_H

#include <stdbool.h>

#include "address.h"
#include "clock.h"

#define FIGHT_REMOVALS    3 /* fewer may be one `ip addr flush`, which looks again when it is done */
#define FIGHT_OVER_NS     (10 * NS_PER_S)
#define FIGHT_WAIT_NS     (10 * NS_PER_MS) /* at the second removal, twice as long at the next */
#define FIGHT_WAIT_MAX_NS NS_PER_S

struct fight {
	unsigned removals;      /* each less than FIGHT_OVER_NS after the one before */
	struct address address; /* the last one removed */
	instant removed;
	instant put_back_at; /* INSTANT_NEVER: it is in place */
};

static inline bool fight_is_on(const struct fight *fight)
{
	return fight->removals >= FIGHT_REMOVALS;
}

/* False if an earlier removal waits to be mended: this one will be mended with it. */
bool fight_removed(struct fight *fight, const struct address *address, instant now);
/* True once, when nothing was removed for FIGHT_OVER_NS. */
bool fight_over(struct fight *fight, instant now);
instant fight_deadline(const struct fight *fight);

#endif
