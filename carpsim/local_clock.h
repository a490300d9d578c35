/*
 * A host's clock: it started at some time of its own, runs a little too fast or
 * too slow, and stands still while a virtual machine is being moved.
 */
#ifndef CARPSIM_LOCAL_CLOCK_H
#define CARPSIM_LOCAL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"

struct local_clock {
	int64_t true_ns; /* when it showed: */
	instant shown;
	int64_t rate; /* gains this many parts in 2^20 */
	bool frozen;
};

instant local_clock_read(const struct local_clock *clock, int64_t now_ns);
/* When it will show t, if it is not frozen; now if that is past. */
int64_t local_clock_when(const struct local_clock *clock, instant t, int64_t now_ns);

void local_clock_freeze(struct local_clock *clock, int64_t now_ns);
/* Runs on from what it shows. */
void local_clock_thaw(struct local_clock *clock, int64_t now_ns);

#endif
