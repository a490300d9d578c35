/*
 * What somebody without a key brings about: nothing but what the network could.  And
 * what is of now is not taken for old.
 */
#include "check_state.h"

#include <inttypes.h>

#include "daemon.h"
#include "settings.h"

/* Wall clocks are set forth and back by a few seconds (DISTURB_WALL). */
#define CLOCKS_APART_NS (20 * NS_PER_S)

/*
 * Of a source that was heard before the age counts, of another one its distance from the
 * clock.  Sequences that ran ahead while nobody listened are as much more to choose from.
 */
static int64_t oldest_ns(const struct check *check, const struct flight *flight, const struct view *view,
                         int64_t patience_ns)
{
	const struct host *host = &check->world->hosts[flight->to];
	int64_t heard_ns = view->fresh_ns[flight->from][flight->packet[0] >> 4 == 6];
	int64_t bound_ns = latest(patience_ns, 2 * NS_PER_S) + scenario_way_ns(check->world->scenario) +
	                   host->frozen_ns + check->furthest_ns + SLACK_NS;

	if (heard_ns == 0)
		return bound_ns + SEAL_WINDOW_NS + CLOCKS_APART_NS;
	/* The marks of an earlier run stand by the wall clock. */
	if (heard_ns < host->started_ns)
		bound_ns += CLOCKS_APART_NS;
	return bound_ns + (check->world->now_ns - heard_ns) / 400;
}

void check_attack(const struct world *world, const struct flight *flight, int64_t age_ns, int64_t patience_ns,
                  enum drop drop)
{
	struct check *check = world->check;

	if (check == NULL || drop != DROP_NONE)
		return;
	struct view *view = &check->views[flight->unit][flight->to];

	if (flight->altered)
		check_fail(check, "fresh: host %u takes notice of an advert of host %u that was altered",
		           flight->to, flight->from);
	if (age_ns > oldest_ns(check, flight, view, patience_ns))
		check_fail(check,
		           "fresh: host %u takes notice of an advert of host %u from %" PRId64 " ns ago",
		           flight->to, flight->from, age_ns);
	/* It came late, as the network's own may: that its words are not the latest is trouble. */
	check_lost(world, flight->from, flight->to);
	check_trouble(world, flight->to);
	check_trouble(world, flight->from);
}

/* So far its clock may lag behind in all, before others take what it says for old (core/engine_receive.c). */
#define LAG_NS (2 * NS_PER_S)

/*
 * Its clock stood still, or it has forgotten how far it was set forward; until it hears of
 * the time.  And a hearer that was down, or stood still, has its wall clock to go by.
 */
static bool may_be_behind(const struct check *check, const struct flight *flight)
{
	const struct host *sender = &check->world->hosts[flight->from];
	const struct host *hearer = &check->world->hosts[flight->to];
	int64_t still_ns = sender->frozen_ns + hearer->frozen_ns + hearer->stepped_ns;

	return check->views[flight->unit][flight->from].unlearnt ||
	       still_ns + scenario_way_ns(check->world->scenario) + SLACK_NS > LAG_NS;
}

/* The first advert of a reign, and a later one came before it: as good as lost. */
static bool is_overtaken(const struct check *check, const struct flight *flight, const struct view *view)
{
	return flight->number == check->views[flight->unit][flight->from].first_advert &&
	       flight->number < view->accepted[flight->from][flight->packet[0] >> 4 == 6];
}

void check_missed(struct check *check, const struct flight *flight, enum drop drop)
{
	struct view *view = &check->views[flight->unit][flight->to];

	if (drop == DROP_REPLAY && is_overtaken(check, flight, view))
		check_lost(check->world, flight->from, flight->to);
	if (drop != DROP_STALE)
		return;
	if (!may_be_behind(check, flight))
		check_fail(check, "fresh: host %u takes an advert of host %u for old that is of now",
		           flight->to, flight->from);
	view->behind_ns[flight->from] = check->world->now_ns;
	check_lost(check->world, flight->from, flight->to);
}
