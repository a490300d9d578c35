#include "check_state.h"

/* As the rules have it, whatever the engine makes of them. */
static int64_t least_patience_ns(const struct scenario *scenario, const struct vhost *vhost)
{
	if (scenario->advbase == 0)
		return 3 * advert_interval_ns(0, vhost->advskew);
	return 3 * scenario->advbase * NS_PER_S + vhost->advskew * NS_PER_S / 256;
}

static bool is_goodbye(const struct flight *flight)
{
	struct advert advert = {0};

	(void)advert_decode(flight_payload(flight), ADVERT_BYTES, &advert);
	return advert.advbase == ADVERT_GONE && advert.advskew == ADVERT_GONE;
}

void check_dropped(const struct world *world, const struct flight *flight, enum drop drop,
                   const struct vhost *before, instant arrived)
{
	struct check *check = world->check;
	const struct vhost *after = &daemon_node(&world->hosts[flight->to], flight->unit)->vhost;

	if (check != NULL && flight_is_sealed(world, flight) && flight->recorded_ns == 0)
		check_missed(check, flight, drop);
	if (check == NULL || flight_is_sealed(world, flight) || (drop != DROP_REPLAY && drop != DROP_FORGED))
		return;
	struct view *view = &check->views[flight->unit][flight->to];
	view->suspected_ns[flight->from] = world->now_ns;
	if (before->state == VHOST_BACKUP && !is_goodbye(flight)) {
		instant least = instant_after(arrived, least_patience_ns(world->scenario, before));
		view->heard_ns = world->now_ns;
		if (instant_before(after->deadline, least))
			check_fail(check,
			           "honest: host %u does not wait for host %u, master of group %u, whose "
			           "advert it takes for a %s",
			           flight->to, flight->from, flight->unit, drop_name(drop));
	}
	if (before->lease_end.ns != 0 && instant_reached(before->lease_end, arrived))
		return;
	if (after->state != before->state)
		check_fail(check,
		           "honest: host %u changes its state in group %u for an advert of host %u that it "
		           "takes for a %s",
		           flight->to, flight->unit, flight->from, drop_name(drop));
}
