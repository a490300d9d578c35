/*
 * What happened, as lines for people and as one number: two runs with the same
 * number went the same way.
 */
#ifndef CARPSIM_TRACE_H
#define CARPSIM_TRACE_H

#include <stdint.h>
#include <stdio.h>

struct trace {
	uint64_t hash;
	FILE *lines; /* NULL: the number only */
};

static inline void trace_mix(struct trace *trace, uint64_t value)
{
	uint64_t z = (trace->hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);

	trace->hash = z ^ (z >> 29);
}

/* A line with the time before it, and its text in the number. */
__attribute__((format(printf, 3, 4))) void trace_line(struct trace *trace, int64_t now_ns, const char *format,
                                                      ...);

#endif
