/*
 * Who leaves has left: demoted, stopped, addresses, sequence.
 */
#include "check_state.h"

#include <inttypes.h>

void check_demoted(struct check *check, size_t unit, size_t master, size_t backup)
{
	const struct world *world = check->world;
	const struct view *above = &check->views[unit][master];
	const struct view *below = &check->views[unit][backup];
	int64_t since_ns;

	if (world->hosts[backup].kind != HOST_CARPD || above->standing.demote <= below->standing.demote ||
	    above->standing.handing_over || !check_untroubled_since(check, master, backup, unit, &since_ns))
		return;
	since_ns = latest(since_ns, latest(above->standing_since_ns, below->standing_since_ns));
	int64_t bound_ns = above->standing.interval_ns + 2 * scenario_way_ns(world->scenario);
	if (is_overdue(world, since_ns, bound_ns))
		check_fail(check,
		           "demoted: host %zu, demoted by %d, stays master of group %zu above host %zu",
		           master, above->standing.demote, unit, backup);
}

void check_stopped(struct check *check, size_t index)
{
	const struct host *host = &check->world->hosts[index];
	int64_t bound_ns = check->world->scenario->handover_wait_ns;

	if (host->stopping && is_overdue(check->world, check->trouble_ns[index], bound_ns))
		check_fail(check, "stopped: host %zu should have left by now", index);
}

static bool read_sequence(const uint8_t *packet, size_t bytes, uint64_t *ret_sequence)
{
	size_t trailer = (packet[0] >> 4 == 4 ? 20u : 40u) + ADVERT_BYTES;
	uint64_t sequence = 0;

	if (bytes < trailer + 12 || packet[trailer] != 'C' || packet[trailer + 1] != 'X')
		return false;
	for (size_t i = 0; i < 8; i++)
		sequence = sequence << 8 | packet[trailer + 4 + i];
	*ret_sequence = sequence;
	return true;
}

void check_sealed(struct check *check, const struct flight *flight)
{
	uint64_t *highest = &check->highest_sequence[flight->from];
	uint64_t sequence;

	if (host_state(&check->world->hosts[flight->from], flight->unit) != VHOST_MASTER)
		check_fail(check, "stopped: host %u advertises group %u and is not its master", flight->from,
		           flight->unit);
	if (!read_sequence(flight->packet, flight->bytes, &sequence))
		return;
	if (sequence <= *highest)
		check_fail(check, "sequence: host %u seals with %" PRIu64 " after %" PRIu64, flight->from,
		           sequence, *highest);
	*highest = sequence;
}

void check_kernel(struct check *check, size_t unit, size_t index)
{
	const struct host *host = &check->world->hosts[index];
	bool master = host_state(host, unit) == VHOST_MASTER;

	if (master != host->kernel.taken[unit])
		check_fail(check, "addresses: host %zu is %s group %zu and has %s addresses", index,
		           master ? "master of" : "not master of", unit, master ? "not got its" : "its");
	if (!master && host->kernel.gates[unit].open)
		check_fail(check, "addresses: host %zu is not master of group %zu and its gate is open",
		           index, unit);
}
