/*
 * Time as the core sees it: an instant is a reading of the boot clock, handed
 * in by the caller; a span is a plain number of nanoseconds.  The instant is a
 * struct so that the two cannot be mixed by accident.
 */
#ifndef CARPD_CORE_CLOCK_H
#define CARPD_CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
	int64_t ns;
} instant;

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

/* Later than every instant a clock can show: "no deadline". */
#define INSTANT_NEVER ((instant){INT64_MAX})

static inline bool instant_is_never(instant t)
{
	return t.ns == INT64_MAX;
}

static inline bool instant_before(instant a, instant b)
{
	return a.ns < b.ns;
}

/* True if now is deadline or later. */
static inline bool instant_reached(instant deadline, instant now)
{
	return deadline.ns <= now.ns;
}

static inline instant instant_after(instant t, int64_t span_ns)
{
	return (instant){t.ns + span_ns};
}

/* How long from a to b; negative if b is earlier. */
static inline int64_t instant_span_ns(instant a, instant b)
{
	return b.ns - a.ns;
}

static inline instant instant_earlier(instant a, instant b)
{
	return a.ns < b.ns ? a : b;
}

#endif
