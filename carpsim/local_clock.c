#include "local_clock.h"

#define RATE_UNIT (INT64_C(1) << 20)

instant local_clock_read(const struct local_clock *clock, int64_t now_ns)
{
	int64_t span_ns = now_ns - clock->true_ns;

	if (clock->frozen)
		return clock->shown;
	return instant_after(clock->shown, span_ns + span_ns * clock->rate / RATE_UNIT);
}

/* The inverse of local_clock_read, closer with every round. */
int64_t local_clock_when(const struct local_clock *clock, instant t, int64_t now_ns)
{
	int64_t wanted_ns = instant_span_ns(clock->shown, t);
	int64_t span_ns = wanted_ns;

	if (wanted_ns <= 0)
		return now_ns;
	for (;;) {
		int64_t missing_ns = wanted_ns - span_ns - span_ns * clock->rate / RATE_UNIT;
		if (missing_ns <= 0 && missing_ns > -2)
			break;
		span_ns += missing_ns != 0 ? missing_ns : 1;
	}
	int64_t at_ns = clock->true_ns + span_ns;
	return at_ns > now_ns ? at_ns : now_ns;
}

static void begin_anew(struct local_clock *clock, int64_t now_ns)
{
	clock->shown = local_clock_read(clock, now_ns);
	clock->true_ns = now_ns;
}

void local_clock_freeze(struct local_clock *clock, int64_t now_ns)
{
	begin_anew(clock, now_ns);
	clock->frozen = true;
}

void local_clock_thaw(struct local_clock *clock, int64_t now_ns)
{
	begin_anew(clock, now_ns);
	clock->frozen = false;
}
