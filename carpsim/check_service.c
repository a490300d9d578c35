/*
 * Always one: link, patience, served, vacant, flapping, deadline, actions.
 */
#include "check_state.h"

#include <inttypes.h>

#include "settings.h"

void check_link(struct check *check, size_t unit, size_t index)
{
	const struct host *host = &check->world->hosts[index];
	bool up = host->kernel.ports[unit % check->world->scenario->segment_count].up;
	bool takes_part = host_state(host, unit) != VHOST_INIT;

	if (daemon_node(host, unit) == NULL) {
		if (!settings_leave_out(host, unit))
			check_fail(check, "link: host %zu does not know group %zu", index, unit);
		return;
	}
	if (!host->stopping && up != takes_part)
		check_fail(check, "link: host %zu takes %s part in group %zu, its link is %s", index,
		           takes_part ? "a" : "no", unit, up ? "up" : "down");
}

void check_patience(struct check *check, size_t unit, size_t index)
{
	const struct world *world = check->world;
	const struct view *view = &check->views[unit][index];
	const struct scenario *scenario = world->scenario;
	int64_t slowest_ns = advert_interval_ns(scenario->advbase, 254);
	/* In fast mode the first wait is for a master of advbase 1. */
	int64_t bound_ns = view->heard_ns < view->state_since_ns ? 3 * NS_PER_S + slowest_ns : 3 * slowest_ns;
	if (scenario->advbase > 0)
		bound_ns = 2 * scenario->advbase * NS_PER_S + slowest_ns;
	/* It may have been master for a moment, until the kernel refused an address. */
	int64_t since_ns = latest(latest(view->heard_ns, view->standing_since_ns), check->trouble_ns[index]);

	bound_ns += slowest_ns / 2;
	if (is_overdue(world, since_ns, bound_ns))
		check_fail(check,
		           "patience: host %zu is a backup of group %zu and has heard nothing for %" PRId64
		           " ns",
		           index, unit, world->now_ns - since_ns);
}

/* As much as a hand-over takes, and some more, must fit into its wait. */
static bool has_time_to_hand_over(const struct scenario *scenario)
{
	return scenario->handover_wait_ns >= 200 * NS_PER_MS + 8 * scenario_way_ns(scenario);
}

bool check_is_planned(const struct scenario *scenario)
{
	if (!scenario_is_carpd_only(scenario) || scenario->attacked || scenario->seal == SEAL_OFF ||
	    scenario->loss_per_million > 0 || !has_time_to_hand_over(scenario))
		return false;
	for (size_t i = 0; i < scenario->disturbance_count; i++) {
		enum disturbance_kind kind = scenario->disturbances[i].kind;
		if (kind != DISTURB_HAND_OVER && kind != DISTURB_STOP && kind != DISTURB_DEMOTE &&
		    kind != DISTURB_UNDEMOTE && kind != DISTURB_MAINTAIN && kind != DISTURB_WALL)
			return false;
	}
	return true;
}

/*
 * Two that are masters for a moment may each leave for what the other has said: one takes
 * the other's advert for the answer to a goodbye that it cannot have heard, or for what is
 * no longer so, and its own have sent the other away as well.  What they said last calls
 * one of them back.
 */
static int64_t longest_gap_ns(const struct check *check, size_t unit)
{
	int64_t way_ns = scenario_way_ns(check->world->scenario);

	if (check->served_ns[unit] - check->twice_served_ns[unit] > 2 * way_ns + SLACK_NS)
		return 0;
	return way_ns + SILENCE_MAX_NS;
}

/* Where nothing fails, and somebody is there who is not told to stop. */
void check_served(struct check *check, size_t unit)
{
	const struct world *world = check->world;
	int64_t *served_ns = &check->served_ns[unit];
	size_t able = 0, served = 0;

	for (size_t i = 0; i < world->host_count; i++) {
		const struct host *host = &world->hosts[i];
		served += host_serves(host, unit);
		able += !host->stopping && host_state(host, unit) != VHOST_INIT;
	}
	if (served > 1)
		check->twice_served_ns[unit] = world->now_ns;
	if (served > 0 || able == 0) {
		*served_ns = served > 0 ? world->now_ns : 0;
		return;
	}
	int64_t gap_ns = longest_gap_ns(check, unit);
	if (check->planned && *served_ns != 0 && (gap_ns == 0 || is_overdue(world, *served_ns, gap_ns)))
		check_fail(check, "served: nobody serves group %zu any more", unit);
}

/* Of two equals that hear each other one stays; here nobody has. */
void check_vacancy(struct check *check, size_t unit, size_t index)
{
	const struct world *world = check->world;
	const struct host *host = &world->hosts[index];

	if (!check->ranks_equals || daemon_node(host, unit) == NULL ||
	    daemon_node(host, unit)->vhost.last.cause.kind != CAUSE_PEER_EQUAL ||
	    world->now_ns - check->any_trouble_ns <= 2 * scenario_way_ns(world->scenario) + SLACK_NS)
		return;
	for (size_t i = 0; i < world->host_count; i++)
		if (host_state(&world->hosts[i], unit) == VHOST_MASTER)
			return;
	check_fail(check, "vacant: host %zu was the last master of group %zu and has yielded to an equal",
	           index, unit);
}

void check_change(struct check *check, size_t unit, size_t index, enum vhost_state state)
{
	const struct world *world = check->world;
	/* Demotions for what the kernel refused end by themselves after ten seconds. */
	int64_t calm_ns = 12 * scenario_patience_ns(world->scenario) + world->scenario->preempt_delay_ns +
	                  30 * NS_PER_S;

	if (check->ranks_equals && world->now_ns - check->any_trouble_ns > calm_ns)
		check_fail(check, "flapping: host %zu group %zu becomes %s without any trouble", index, unit,
		           vhost_state_name(state));
}

void check_ticked(const struct world *world, size_t index)
{
	struct check *check = world->check;
	const struct host *host = &world->hosts[index];

	if (check != NULL && instant_reached(engine_deadline(host->daemon.engine), host_now(host)))
		check_fail(check, "deadline: host %zu ticked and is due again at once", index);
}

void check_engine(struct check *check, size_t index)
{
	const struct host *host = &check->world->hosts[index];
	const struct engine *engine = host->daemon.engine;

	if (engine->action_count > 0)
		check_fail(check, "actions: host %zu has %zu left", index, engine->action_count);
	for (size_t i = 0; i < engine->settings->node_count; i++) {
		const struct vhost *vhost = &engine->nodes[i].vhost;
		if (vhost->state == VHOST_INIT)
			continue;
		if (instant_is_never(engine_deadline(engine)) ||
		    instant_before(vhost_deadline(vhost), engine_deadline(engine)))
			check_fail(check, "deadline: host %zu has none in time for group %zu", index, i);
		if (instant_is_never(vhost_deadline(vhost)))
			check_fail(check, "deadline: host %zu, group %zu waits for nothing", index, i);
	}
}
