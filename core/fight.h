/*
 * Somebody removes our addresses: a slip is mended at once, a fight with another
 * program more and more slowly, so that neither of the two is kept busy by it.
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

/* False if a removal before it waits to be mended, which will mend this one too. */
bool fight_removed(struct fight *fight, const struct address *address, instant now);
/* True once when it has been quiet for long enough. */
bool fight_over(struct fight *fight, instant now);
instant fight_deadline(const struct fight *fight);

#endif
