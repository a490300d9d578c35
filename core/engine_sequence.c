/*
 * The sequences of this host's seals: its wall clock as it was at the start, or
 * further ahead, and from there the boot clock, so that peers see them run as their own
 * clocks do (replay.h).  What sets them forward: the wall clock, and peers that are ahead.
 * Nothing sets them back.
 */
#include "engine_private.h"

/* So far ahead numbers are written down before they are used, and again when so much is left. */
#define RESERVED_NS      (30 * NS_PER_S)
#define RESERVED_LEFT_NS (10 * NS_PER_S)

uint64_t engine_first_sequence(uint64_t reserved, int64_t wall_ns)
{
	uint64_t wall = wall_ns > 0 ? (uint64_t)wall_ns : 0;

	return wall > reserved ? wall : reserved + 1;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t engine_sequence_lead_ns(const struct engine *engine)
{
	return later(engine->sequence_lead_ns, engine->wall_offset_ns);
}

uint64_t engine_sequence_clock(const struct engine *engine, instant now)
{
	int64_t sequence = now.ns + engine_sequence_lead_ns(engine);

	return sequence > 0 ? (uint64_t)sequence : 0;
}

/*
 * A host that was paused, or started without a clock, is behind what its peers expect
 * of it, and they drop what it says as old.  The adverts that it hears say how far.
 */
uint64_t engine_next_sequence(struct engine *engine, const struct node *node, instant now)
{
	engine->sequence_lead_ns = engine_sequence_lead_ns(engine);
	int64_t sequence = now.ns + later(engine->sequence_lead_ns, replay_lead_ns(&node->replay));

	return (uint64_t)later(sequence, (int64_t)node->sequence + 1);
}

uint64_t engine_reserve_sequences(const struct engine *engine, instant now)
{
	return engine_sequence_clock(engine, now) + RESERVED_NS;
}

bool engine_sequences_run_short(const struct engine *engine, uint64_t reserved, instant now)
{
	return reserved < engine_sequence_clock(engine, now) + RESERVED_LEFT_NS;
}
