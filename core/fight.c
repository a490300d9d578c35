#include "fight.h"

static int64_t wait_ns(const struct fight *fight)
{
	int64_t ns = FIGHT_WAIT_NS;

	if (fight->removals < 2)
		return 0;
	for (unsigned i = 2; i < fight->removals && ns < FIGHT_WAIT_MAX_NS; i++)
		ns *= 2;
	return ns < FIGHT_WAIT_MAX_NS ? ns : FIGHT_WAIT_MAX_NS;
}

bool fight_removed(struct fight *fight, const struct address *address, instant now)
{
	if (!instant_is_never(fight->put_back_at))
		return false;
	if (!fight_is_on(fight) && instant_span_ns(fight->removed, now) >= FIGHT_OVER_NS)
		fight->removals = 0;
	fight->removals++;
	fight->address = *address;
	fight->removed = now;
	fight->put_back_at = instant_after(now, wait_ns(fight));
	return true;
}

bool fight_over(struct fight *fight, instant now)
{
	if (!fight_is_on(fight) || instant_span_ns(fight->removed, now) < FIGHT_OVER_NS)
		return false;
	fight->removals = 0;
	return true;
}

instant fight_deadline(const struct fight *fight)
{
	if (!fight_is_on(fight))
		return fight->put_back_at;
	return instant_earlier(fight->put_back_at, instant_after(fight->removed, FIGHT_OVER_NS));
}
