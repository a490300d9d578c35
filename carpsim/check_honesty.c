#include "check_state.h"

#include <string.h>

/*
 * A host that is not known yet may set back another that is.  One advert may have
 * been the copy of the other family, under a counter that was known.
 */
static bool knows_all_peers(const struct world *world, const struct view *view, size_t family)
{
	for (size_t i = 0; i < world->scenario->host_count; i++)
		if (world->hosts[i].kind != HOST_CARPD && view->judgements[i][family].counted < 2)
			return false;
	return true;
}

void check_judged(const struct world *world, const struct flight *flight, enum drop drop)
{
	struct check *check = world->check;
	const struct host *from = &world->hosts[flight->from], *to = &world->hosts[flight->to];

	if (check == NULL || from->kind == HOST_CARPD)
		return;
	struct view *view = &check->views[flight->unit][flight->to];
	size_t family = flight->packet[0] >> 4 == 6;
	struct judgement *judgement = &view->judgements[flight->from][family];
	bool wrong = drop == DROP_REPLAY || drop == DROP_FORGED;

	if (view->judging_since.ns != to->daemon.configuration->settings.start.ns)
		memset(view->judgements, 0, sizeof(view->judgements));
	view->judging_since = to->daemon.configuration->settings.start;
	judgement->counted += drop == DROP_NONE;
	if (flight->number <= judgement->arrived)
		return; /* a second time, or overtaken */
	judgement->arrived = flight->number;
	if (!wrong || judgement->reign != from->peers[flight->unit].reign)
		judgement->dropped = 0;
	judgement->reign = from->peers[flight->unit].reign;
	judgement->dropped += wrong;
	if (judgement->dropped > 1 && knows_all_peers(world, view, family))
		check_fail(check, "honest: host %u takes adverts of group %u from host %u for a %s",
		           flight->to, flight->unit, flight->from, drop_name(drop));
}
