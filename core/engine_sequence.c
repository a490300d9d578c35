/*
 * The sequence of this host's seals, over all its runs: no number is used twice,
 * and it is the time, or comes back to it.
 */
#include "engine.h"

/* So far ahead of the clock numbers are written down before they are used, and again when so much is left. */
#define AHEAD_MAX_NS     (30 * NS_PER_S)
#define AHEAD_MIN_NS     (3 * NS_PER_S)
#define AHEAD_LEFT_SHARE 3

/*
 * A run that begins ahead of the clock counts on one by one, so it needs a number
 * for each advert only.  A million lasts for seconds, and is no more than a
 * millisecond of time: starts that follow each other without an end do not get
 * ahead by more than passes between them.
 */
#define SPARE 1000000

uint64_t engine_first_sequence(uint64_t reserved, int64_t wall_ns)
{
	uint64_t wall = wall_ns > 0 ? (uint64_t)wall_ns : 0;

	return wall > reserved ? wall : reserved + 1;
}

static uint64_t wall_clock(const struct engine *engine, instant now)
{
	int64_t wall_ns = now.ns + engine->wall_offset_ns;

	return wall_ns > 0 ? (uint64_t)wall_ns : 0;
}

uint64_t engine_next_sequence(struct engine *engine, instant now)
{
	engine->sequence = engine_first_sequence(engine->sequence, (int64_t)wall_clock(engine, now));
	return engine->sequence;
}

/* A crash may leave the next run this far ahead, and peers compare it with their clocks. */
static uint64_t ahead_ns(const struct engine *engine)
{
	int64_t ahead_ns = AHEAD_MAX_NS;

	for (size_t i = 0; i < engine->settings->group_count; i++) {
		int64_t half_ns = engine->settings->groups[i].seal_window_ns / 2;
		if (half_ns > 0 && half_ns < ahead_ns)
			ahead_ns = half_ns;
	}
	return (uint64_t)(ahead_ns > AHEAD_MIN_NS ? ahead_ns : AHEAD_MIN_NS);
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t engine_reserve_sequences(const struct engine *engine, instant now)
{
	return later(wall_clock(engine, now) + ahead_ns(engine), engine->sequence + SPARE);
}

bool engine_sequences_run_short(const struct engine *engine, uint64_t reserved, instant now)
{
	uint64_t left_ns = ahead_ns(engine) / AHEAD_LEFT_SHARE;

	return reserved < later(wall_clock(engine, now) + left_ns, engine->sequence + SPARE / 2);
}
