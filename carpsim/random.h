/*
 * Chance as a parameter: splitmix64, so that one seed gives one course of events
 * on every compiler and machine.  No floating point decides anything.
 *
 * Never call two of these in one argument list or one expression: their order
 * would be the compiler's choice.
 */
#ifndef CARPSIM_RANDOM_H
#define CARPSIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
	uint64_t z = (random->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0..limit-1; the bias of the remainder does not matter here. */
static inline int64_t random_below(struct random *random, int64_t limit)
{
	return limit <= 1 ? 0 : (int64_t)(random_next(random) % (uint64_t)limit);
}

static inline int64_t random_between(struct random *random, int64_t least, int64_t most)
{
	return least + random_below(random, most - least + 1);
}

static inline bool random_chance(struct random *random, int64_t per_million)
{
	return random_below(random, 1000000) < per_million;
}

#endif
