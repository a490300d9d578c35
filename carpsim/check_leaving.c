/*
 * Who leaves has left: demoted, demotion, stopped, addresses.
 */
#include "check_state.h"

#include <inttypes.h>

/* A host of another make may not mind a demotion, but a goodbye it does. */
static void check_maintained(struct check *check, size_t unit, size_t master, size_t backup)
{
	const struct world *world = check->world;
	int64_t asked_ns = world->hosts[master].maintained_ns;
	int64_t since_ns;

	/* The backup may have risen, and have got no addresses. */
	if (asked_ns == 0 || check->views[unit][master].state_since_ns >= asked_ns ||
	    check->views[unit][backup].state_since_ns >= asked_ns ||
	    world->hosts[backup].kernel.refused_ns >= asked_ns ||
	    !check_untroubled_since(check, master, backup, unit, &since_ns) || since_ns > asked_ns)
		return;
	if (is_overdue(world, asked_ns, world->scenario->handover_wait_ns + scenario_way_ns(world->scenario)))
		check_fail(check,
		           "demoted: host %zu, under maintenance, stays master of group %zu above host %zu",
		           master, unit, backup);
}

void check_demoted(struct check *check, size_t unit, size_t master, size_t backup)
{
	const struct world *world = check->world;
	const struct view *above = &check->views[unit][master];
	const struct view *below = &check->views[unit][backup];
	int64_t since_ns;

	check_maintained(check, unit, master, backup);

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

void check_rose(const struct world *world, size_t index, size_t unit, instant at)
{
	if (world->check != NULL)
		world->check->views[unit][index].last_reign = (uint64_t)at.ns;
}

void check_farewell(struct check *check, size_t unit, size_t index)
{
	const struct host *host = &check->world->hosts[index];
	const struct view *view = &check->views[unit][index];
	const struct node *node = host->kind == HOST_CARPD ? daemon_node(host, unit) : NULL;

	if (node == NULL || node->vhost.last.cause.kind != CAUSE_TAKE_FAILED || host->kernel.jammed ||
	    view->serving_reign != view->last_reign)
		return;
	if (view->goodbye_ns != check->world->now_ns)
		check_fail(check, "goodbye: host %zu leaves group %zu without one", index, unit);
}

void check_stopped(struct check *check, size_t index)
{
	const struct host *host = &check->world->hosts[index];
	int64_t bound_ns = check->world->scenario->handover_wait_ns;

	if (host->stopping && is_overdue(check->world, check->trouble_ns[index], bound_ns))
		check_fail(check, "stopped: host %zu should have left by now", index);
}

void check_handover(struct check *check, size_t unit, size_t index)
{
	const struct view *view = &check->views[unit][index];
	int64_t since_ns = latest(view->standing_since_ns, check->trouble_ns[index]);

	if (view->standing.handing_over &&
	    is_overdue(check->world, since_ns, check->world->scenario->handover_wait_ns))
		check_fail(check, "stopped: host %zu waits for a successor in group %zu for ever", index,
		           unit);
}

/* The engine's own reasons weigh as much as they do in carpd.conf(5), each by itself. */
#define OWN_REASON 100

static int most_in_a_byte(int sum)
{
	return sum < UINT8_MAX ? sum : UINT8_MAX;
}

/* Links that groups share a fate with. */
static bool depends_on(const struct host *host, size_t unit, size_t port)
{
	bool split = (host->daemon.configuration->how & CONFIGURED_SPLIT) != 0;

	return !split || unit % host->world->scenario->segment_count == port;
}

/* What a group must add up to, but for addresses that were refused and sends that fail. */
static int expected_demotion(const struct host *host, size_t unit)
{
	const struct engine_settings *settings = &host->daemon.configuration->settings;
	int sum = host->asked_demotion;

	for (size_t i = 0; i < settings->parent_count; i++) {
		size_t port = daemon_port(host, i);
		if (!host->kernel.ports[port].up && depends_on(host, unit, port))
			sum += OWN_REASON;
	}
	return sum;
}

void check_demotion(struct check *check, size_t unit, size_t index)
{
	const struct world *world = check->world;
	const struct host *host = &world->hosts[index];
	const struct node *node = daemon_node(host, unit);
	if (node == NULL)
		return;
	int sum = node->vhost.group->demotion;
	int least = expected_demotion(host, unit);
	int64_t refused_ns = host->kernel.refused_ns;
	/* Addresses are tried again after ten seconds, sending each second. */
	bool calm = !host->kernel.jammed &&
	            is_overdue(world, latest(refused_ns, check->trouble_ns[index]), 12 * NS_PER_S);
	size_t refused_port = host->kernel.refused_group % world->scenario->segment_count;
	bool refused = depends_on(host, unit, refused_port) && refused_ns > check->trouble_ns[index] &&
	               world->now_ns - refused_ns < 9 * NS_PER_S;

	if (refused)
		least += OWN_REASON;
	if (sum < most_in_a_byte(least) || (calm && sum != most_in_a_byte(least)))
		check_fail(check, "demotion: host %zu group %zu is demoted by %d%s, not by %d", index, unit,
		           sum, calm ? " for good" : "", most_in_a_byte(least));
}

/* Somebody else removed them, and they are on their way back. */
static bool will_be_put_back(const struct host *host, size_t unit)
{
	const struct node *node = daemon_node(host, unit);

	return node != NULL && instant_before(node->vhost.group->fight.put_back_at,
	                                      instant_after(host_now(host), FIGHT_WAIT_MAX_NS));
}

void check_kernel(struct check *check, size_t unit, size_t index)
{
	const struct host *host = &check->world->hosts[index];
	bool master = host_state(host, unit) == VHOST_MASTER;
	bool taken = host->kernel.taken[unit];

	if (master != taken && !(master && will_be_put_back(host, unit)))
		check_fail(check, "addresses: host %zu is %s group %zu and has %s addresses", index,
		           master ? "master of" : "not master of", unit, master ? "not got its" : "its");
	if (!master && host->kernel.gates[unit].open)
		check_fail(check, "addresses: host %zu is not master of group %zu and its gate is open",
		           index, unit);
}
