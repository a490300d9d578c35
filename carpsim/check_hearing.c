/*
 * What an advert must bring about, and what it must not: rising, rivals, replay.
 * Written from the rules of doc/protocol.md and apart from the engine, so that a
 * mistake is not made twice.
 */
#include "check_state.h"

#include <inttypes.h>

/* An advert as it was heard, beside what its hearer would have sent itself. */
struct hearing {
	const struct scenario *scenario;
	const struct flight *flight;
	struct view *view;
	const struct vhost *before;
	enum vhost_state after;
	instant arrived;
	bool goodbye;
	bool gives_way;   /* the hearer, in its last hand-over */
	int more_demoted; /* than the hearer, if above zero */
	int64_t ours_ns;  /* intervals */
	int64_t theirs_ns;
};

static bool is_patient_enough(const struct hearing *hearing)
{
	int64_t advbase_ns = hearing->scenario->advbase * NS_PER_S;

	return advbase_ns == 0 ||
	       3 * advbase_ns + hearing->before->advskew * NS_PER_S / 256 >= hearing->theirs_ns;
}

static bool is_called_by_preempt(const struct hearing *hearing)
{
	bool handed_over = hearing->before->last.cause.kind == CAUSE_HANDED_OVER && !hearing->gives_way;
	bool delayed = instant_before(
	        hearing->arrived, instant_after(hearing->view->started, hearing->scenario->preempt_delay_ns));

	return hearing->scenario->preempt && hearing->more_demoted == 0 &&
	       hearing->theirs_ns > hearing->ours_ns && !handed_over && !delayed;
}

/* A goodbye calls whoever knows no other master; who has heard two may take it for either's. */
static bool is_only_master(const struct hearing *hearing)
{
	return (hearing->view->masters_heard & ~(1u << hearing->flight->from)) == 0;
}

static void check_rising(struct check *check, const struct hearing *hearing)
{
	const struct flight *flight = hearing->flight;
	bool called = hearing->goodbye || hearing->more_demoted > 0 || is_called_by_preempt(hearing) ||
	              !is_patient_enough(hearing);
	bool rose = hearing->after == VHOST_MASTER;

	if (rose && !called)
		check_fail(check, "rising: nothing that host %u said called host %u to take group %u over",
		           flight->from, flight->to, flight->unit);
	if (!rose && called && !(hearing->goodbye && !is_only_master(hearing)))
		check_fail(check, "rising: what host %u said called host %u to take group %u over",
		           flight->from, flight->to, flight->unit);
}

/* Equals that seal are ordered by their addresses, by those of IPv4 if they have both. */
static bool loses_among_equals(const struct check *check, const struct flight *flight, bool *ret_clear)
{
	const struct scenario *scenario = check->world->scenario;
	const struct port *ours = &check->world->hosts[flight->to].kernel.ports[flight->port];
	const struct host *rival = &check->world->hosts[flight->from];
	const struct port *theirs = &rival->kernel.ports[flight->port];
	bool ipv6 = flight->packet[0] >> 4 == 6;

	*ret_clear = !(ipv6 && scenario->ipv4);
	if (rival->kind != HOST_CARPD || scenario->seal == SEAL_OFF)
		return true;
	return ipv6 ? address_compare(&ours->ipv6, &theirs->ipv6) < 0
	            : address_compare(&ours->ipv4, &theirs->ipv4) < 0;
}

static void check_rivals(struct check *check, const struct hearing *hearing)
{
	const struct flight *flight = hearing->flight;
	bool equal = hearing->more_demoted == 0 && hearing->theirs_ns == hearing->ours_ns;
	bool clear = true;
	bool loses = hearing->more_demoted < 0 ||
	             (hearing->more_demoted == 0 && hearing->theirs_ns < hearing->ours_ns);

	if (equal)
		loses = loses_among_equals(check, flight, &clear);
	/* Between its first advert and its first goodbye it was heard, and nobody can have answered. */
	if (hearing->before->handover.active &&
	    (hearing->before->handover.said || hearing->before->lease_end.ns == 0))
		loses = true;
	if (hearing->goodbye)
		loses = false;
	if (clear && loses != (hearing->after != VHOST_MASTER))
		check_fail(check, "rivals: host %u is %s group %u after what host %u said", flight->to,
		           loses ? "still master of" : "no longer master of", flight->unit, flight->from);
}

static void check_replay(struct check *check, const struct flight *flight, struct view *view)
{
	uint64_t *newest = &view->accepted[flight->from][flight->packet[0] >> 4 == 6];

	if (flight_is_sealed(check->world, flight) && flight->number <= *newest)
		check_fail(check,
		           "replay: host %u takes notice of advert %" PRIu64 " of host %u after %" PRIu64,
		           flight->to, flight->number, flight->from, *newest);
	*newest = flight->number;
}

static struct hearing weigh(const struct world *world, const struct flight *flight, struct view *view,
                            const struct vhost *before, instant arrived)
{
	const struct scenario *scenario = world->scenario;
	struct hearing hearing = {.scenario = scenario,
	                          .flight = flight,
	                          .view = view,
	                          .before = before,
	                          .after = host_state(&world->hosts[flight->to], flight->unit),
	                          .arrived = arrived};
	hearing.gives_way = world->hosts[flight->to].gives_way[flight->unit];
	uint8_t demote = before->group->demotion;
	struct advert theirs = {0};

	(void)advert_decode(flight_payload(flight), ADVERT_BYTES, &theirs);
	hearing.goodbye = theirs.advbase == ADVERT_GONE && theirs.advskew == ADVERT_GONE;
	hearing.more_demoted = theirs.demote - demote;
	hearing.ours_ns = advert_interval_ns(scenario->advbase, demoted_advskew(before->advskew, demote));
	hearing.theirs_ns = advert_interval_ns(theirs.advbase, theirs.advskew);
	return hearing;
}

void check_heard(const struct world *world, const struct flight *flight, const struct vhost *before,
                 instant arrived)
{
	struct check *check = world->check;

	if (check == NULL)
		return;
	struct view *view = &check->views[flight->unit][flight->to];
	struct hearing hearing = weigh(world, flight, view, before, arrived);
	check_replay(check, flight, view);
	check_note_start(view, before);
	if (before->state == VHOST_BACKUP)
		check_rising(check, &hearing);
	else if (before->lease_end.ns == 0 || instant_before(arrived, before->lease_end))
		check_rivals(check, &hearing);
	if (hearing.after != VHOST_BACKUP || hearing.goodbye)
		return;
	if (vhost_speaks(before))
		view->masters_heard = 0;
	view->masters_heard |= 1u << flight->from;
}
