/*
 * Never two owners: lease, false, overlap, settled, fence.
 */
#include "check_state.h"

#include <inttypes.h>

void check_gate(const struct world *world, size_t index, size_t unit, int64_t interval_ns, instant before,
                instant end)
{
	struct check *check = world->check;
	const struct host *host = &world->hosts[index];
	const struct gate *gate = &host->kernel.gates[unit];

	if (check == NULL)
		return;
	int64_t advbase = world->scenario->advbase;
	int64_t most_ns = advbase > 0 ? 3 * advbase * NS_PER_S : 3 * interval_ns;
	if (instant_span_ns(before, end) > most_ns - most_ns / 1000)
		check_fail(check, "fence: host %zu group %zu, a lease of %" PRId64 " ns", index, unit,
		           instant_span_ns(before, end));
	if (gate->open && !instant_before(before, gate->end))
		check_fail(check, "fence: host %zu extends an expired lease of group %zu", index, unit);
}

/* Of an advert that goes out over both families, every copy or any. */
static uint64_t last_heard(const struct check *check, const uint64_t heard[2], bool every)
{
	const struct scenario *scenario = check->world->scenario;
	bool smaller = every && scenario->ipv4 && scenario->ipv6;

	return (heard[0] < heard[1]) == smaller ? heard[0] : heard[1];
}

/*
 * When a third host without seals may have set back the counter of one that is doubted: it
 * counts on from OpenBSD's, which is always the same.
 */
static int64_t last_set_back_ns(const struct check *check, size_t unit, size_t doubted, size_t doubter)
{
	const struct world *world = check->world;
	const struct view *view = &check->views[unit][doubted];
	int64_t last_ns = 0;

	for (size_t i = 0; i < world->host_count; i++) {
		bool seals = world->hosts[i].kind == HOST_CARPD && world->scenario->seal != SEAL_OFF;
		if (i != doubter && !seals)
			last_ns = latest(last_ns, latest(view->fresh_ns[i][0], view->fresh_ns[i][1]));
	}
	return last_ns;
}

void check_settled(struct check *check, size_t unit, size_t a, size_t b)
{
	const struct world *world = check->world;
	const struct view *one = &check->views[unit][a];
	const struct view *other = &check->views[unit][b];
	int64_t since_ns;

	/* Two that both hand over wait for a third (but see check_overlap).  Two peers do as they like. */
	if ((one->standing.handing_over && other->standing.handing_over) ||
	    (world->hosts[a].kind != HOST_CARPD && world->hosts[b].kind != HOST_CARPD))
		return;
	if (!one->standing.speaks || !other->standing.speaks ||
	    !check_untroubled_since(check, a, b, unit, &since_ns))
		return;
	since_ns = latest(since_ns, latest(one->standing_since_ns, other->standing_since_ns));
	int64_t bound_ns = latest(one->standing.interval_ns, other->standing.interval_ns) +
	                   scenario_way_ns(world->scenario);
	/* A host whose counter is doubted counts on from the answer. */
	if (latest(one->suspected_ns[b], other->suspected_ns[a]) > since_ns)
		bound_ns += bound_ns + scenario_way_ns(world->scenario);
	if (one->suspected_ns[b] > since_ns)
		since_ns = latest(since_ns, last_set_back_ns(check, unit, b, a));
	if (other->suspected_ns[a] > since_ns)
		since_ns = latest(since_ns, last_set_back_ns(check, unit, a, b));
	if (is_overdue(world, since_ns, bound_ns))
		check_fail(check, "settled: hosts %zu and %zu both master of group %zu for %" PRId64 " ns", a,
		           b, unit, world->now_ns - since_ns);
}

/* Who hands over leaves when it hears the first advert of its successor. */
void check_overlap(struct check *check, size_t unit, size_t a, size_t b)
{
	const struct world *world = check->world;
	const struct view *one = &check->views[unit][a], *other = &check->views[unit][b];
	int64_t begun_ns = latest(one->serving_since_ns, other->serving_since_ns);
	int64_t lost_ns = latest(latest(check->lost_ns[a][b], check->lost_ns[b][a]), check->cabling_ns);
	const struct view *first = one->serving_since_ns < begun_ns ? one : other;
	int64_t since_ns;

	if (!first->standing.handing_over || first->standing_since_ns > begun_ns || lost_ns >= begun_ns ||
	    world->hosts[a].kind != HOST_CARPD || world->hosts[b].kind != HOST_CARPD ||
	    !host_serves(&world->hosts[a], unit) || !host_serves(&world->hosts[b], unit) ||
	    !check_untroubled_since(check, a, b, unit, &since_ns))
		return;
	if (is_overdue(world, latest(since_ns, begun_ns), scenario_way_ns(world->scenario)))
		check_fail(check, "overlap: hosts %zu and %zu both serve group %zu for %" PRId64 " ns", a, b,
		           unit, world->now_ns - begun_ns);
}

/* A BSD with both families has two timers, and the first to end counts (doc/carp.md 1.5). */
static uint64_t last_heard_in_time(const struct check *check, size_t unit, size_t index, size_t other)
{
	return last_heard(check, check->views[unit][index].heard_as_backup[other],
	                  check->world->hosts[index].kind != HOST_CARPD);
}

void check_takeover(struct check *check, size_t unit, size_t index, size_t other)
{
	const struct world *world = check->world;
	const struct scenario *scenario = world->scenario;
	const struct host *rival = &world->hosts[other];
	const struct view *theirs = &check->views[unit][other];
	int64_t since_ns;

	if (rival->kind != HOST_CARPD || !host_serves(rival, unit))
		return;
	/* A clock that stood still has not seen its lease run out: nothing can fence that. */
	bool frozen = rival->clock.frozen || rival->kernel.gates[unit].advert <= rival->adverts_at_freeze;
	if (!frozen && last_heard_in_time(check, unit, index, other) >= rival->kernel.gates[unit].advert)
		check_fail(check,
		           "lease: host %zu has taken group %zu over while the lease of host %zu, which it "
		           "heard, "
		           "goes on",
		           index, unit, other);
	if (scenario->losses_in_a_row == LOSSES_UNBOUNDED)
		return;
	/* A demoted master advertises so seldom that two lost adverts are too many. */
	int64_t gap_ns =
	        (scenario->losses_in_a_row + 1) * theirs->standing.interval_ns + scenario_way_ns(scenario);
	if (gap_ns + gap_ns / 1000 >= scenario_least_patience_ns(scenario) ||
	    !check_untroubled_since(check, index, other, unit, &since_ns))
		return;
	since_ns = latest(latest(check->trouble_ns[index], check->trouble_ns[other]), check->cabling_ns);
	since_ns = latest(since_ns, latest(theirs->serving_since_ns, theirs->standing_since_ns));
	since_ns = latest(since_ns, check->views[unit][index].behind_ns[other]);
	/* In fast mode a new backup does not know its master yet, and waits by its own interval. */
	bool knows = scenario->advbase > 0 || check->views[unit][index].heard_as_backup[other][0] > 0 ||
	             check->views[unit][index].heard_as_backup[other][1] > 0;
	if (knows &&
	    world->now_ns - since_ns > 2 * scenario_patience_ns(scenario) + scenario_way_ns(scenario))
		check_fail(check,
		           "false: host %zu has taken group %zu over though host %zu serves and is heard",
		           index, unit, other);
}
