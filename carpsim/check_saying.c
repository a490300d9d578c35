/*
 * What a host says: first, terms, sequence, announced.
 */
#include "check_state.h"

#include <inttypes.h>

#include "settings.h"

static bool read_sequence(const struct flight *flight, uint64_t *ret_sequence)
{
	const uint8_t *trailer = flight_payload(flight) + ADVERT_BYTES;
	uint64_t sequence = 0;

	if (trailer + 12 > flight->packet + flight->bytes || trailer[0] != 'C' || trailer[1] != 'X')
		return false;
	for (size_t i = 0; i < 8; i++)
		sequence = sequence << 8 | trailer[4 + i];
	*ret_sequence = sequence;
	return true;
}

/* Its last word, after the addresses had been refused; whoever was about to stop has stopped with it. */
static bool has_left(const struct vhost *vhost)
{
	return vhost->state != VHOST_MASTER && vhost->last.cause.kind == CAUSE_TAKE_FAILED;
}

/* Of a reign: nobody can hand over what nobody has heard of, and addresses come before adverts. */
static bool is_first_advert(struct check *check, const struct flight *flight, const struct vhost *vhost)
{
	struct view *view = &check->views[flight->unit][flight->from];
	const struct host *host = &check->world->hosts[flight->from];
	uint64_t reign = (uint64_t)vhost->last.at.ns;

	if (vhost->state != VHOST_MASTER ||
	    (view->spoken_reign == reign && view->first_advert != flight->number))
		return false;
	view->spoken_reign = reign;
	view->first_advert = flight->number;
	if (!kernel_routes(&host->kernel, flight->unit, check->world->now_ns) &&
	    instant_span_ns(vhost->last.at, host_now(host)) < SILENCE_MAX_NS)
		check_fail(check, "first: host %u advertises group %u before it has the addresses",
		           flight->from, flight->unit);
	return true;
}

void check_silence(struct check *check, size_t unit, size_t index)
{
	const struct view *view = &check->views[unit][index];
	int64_t since_ns = latest(view->standing_since_ns, check->trouble_ns[index]);

	if (!view->standing.speaks && is_overdue(check->world, since_ns, SILENCE_MAX_NS))
		check_fail(check, "first: host %zu is master of group %zu and waits for ever to say so",
		           index, unit);
}

/* Nothing but its settings, its demotion and whether it goes. */
static void check_terms(struct check *check, const struct flight *flight)
{
	const struct scenario *scenario = check->world->scenario;
	const struct host *host = &check->world->hosts[flight->from];
	const struct vhost *vhost = &daemon_node(host, flight->unit)->vhost;
	uint8_t demote = vhost->group->demotion;
	uint8_t advskew = scenario_advskew(scenario, flight->from, flight->unit);
	bool first = is_first_advert(check, flight, vhost);
	bool goes = (vhost->handover.active && !first) || has_left(vhost);
	struct advert said;

	bool readable = advert_decode(flight_payload(flight), ADVERT_BYTES, &said) == DROP_NONE;
	if (readable && first && said.advbase == ADVERT_GONE)
		check_fail(check, "first: host %u begins with a goodbye to group %u", flight->from,
		           flight->unit);
	if (!readable || said.vhid != vhost->vhid ||
	    said.advbase != (goes ? ADVERT_GONE : scenario->advbase) ||
	    said.advskew != (goes ? ADVERT_GONE : demoted_advskew(advskew, demote)) ||
	    (said.demote != demote && !goes))
		check_fail(check, "terms: host %u says of group %u what is not so", flight->from,
		           flight->unit);
}

static void check_lead(struct check *check, const struct flight *flight, uint64_t sequence)
{
	const struct host *host = &check->world->hosts[flight->from];
	int64_t lead_ns = (int64_t)sequence - daemon_wall_clock_ns(host);

	check->furthest_ns = latest(check->furthest_ns, lead_ns + host->wall_offset_ns);

	if (lead_ns < -SEAL_WINDOW_NS)
		check_fail(check, "sequence: host %u seals %" PRId64 " ns behind its clock", flight->from,
		           -lead_ns);
}

void check_advert(struct check *check, const struct flight *flight)
{
	struct view *view = &check->views[flight->unit][flight->from];
	uint64_t sequence;

	const struct vhost *vhost = &daemon_node(&check->world->hosts[flight->from], flight->unit)->vhost;
	if (vhost->state != VHOST_MASTER && !has_left(vhost))
		check_fail(check, "stopped: host %u advertises group %u and is not its master", flight->from,
		           flight->unit);
	if (vhost->state != VHOST_MASTER)
		check->views[flight->unit][flight->from].goodbye_ns = check->world->now_ns;
	check_terms(check, flight);
	if (!read_sequence(flight, &sequence))
		return;
	/* The copies of one advert have one sequence. */
	if (sequence < view->highest_sequence ||
	    (sequence == view->highest_sequence) != (flight->number == view->highest_advert))
		check_fail(check, "sequence: host %u seals with %" PRIu64 " after %" PRIu64, flight->from,
		           sequence, view->highest_sequence);
	view->highest_sequence = sequence;
	view->highest_advert = flight->number;
	check_lead(check, flight, sequence);
}

void check_announced(const struct world *world, size_t index, size_t unit)
{
	struct check *check = world->check;

	if (check == NULL)
		return;
	struct view *view = &check->views[unit][index];
	instant reign = daemon_node(&world->hosts[index], unit)->vhost.last.at;
	if (instant_before(view->announced_reign, reign))
		view->announcements = 0;
	view->announced_reign = reign;
	view->announcements++;
}

void check_announcements(struct check *check, size_t unit, size_t index)
{
	static const int64_t repeated_ns[] = {1100 * NS_PER_MS, 2200 * NS_PER_MS, 5000 * NS_PER_MS};
	const struct host *host = &check->world->hosts[index];
	const struct view *view = &check->views[unit][index];
	instant reign = daemon_node(host, unit)->vhost.last.at;
	instant since = daemon_node(host, unit)->vhost.speaks_since;
	int64_t elapsed_ns = instant_span_ns(since, host_now(host));
	unsigned int due = 1;

	/* A pause puts the repetitions off. */
	for (size_t i = 0; i < 3 && check->trouble_ns[index] < view->state_since_ns; i++)
		due += elapsed_ns > repeated_ns[i] + SLACK_NS;
	if (view->announced_reign.ns != reign.ns || view->announcements < due)
		check_fail(check, "announced: host %zu is master of group %zu and says so to nobody", index,
		           unit);
}
