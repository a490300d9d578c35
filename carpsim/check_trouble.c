/*
 * What disturbs hosts and the ways between them, and how long ago it was.
 */
#include "check_state.h"

void check_lost(const struct world *world, size_t from, size_t to)
{
	if (world->check == NULL)
		return;
	world->check->lost_ns[from][to] = world->now_ns;
	world->check->any_trouble_ns = world->now_ns;
}

void check_trouble(const struct world *world, size_t host)
{
	if (world->check == NULL)
		return;
	world->check->trouble_ns[host] = world->now_ns;
	world->check->any_trouble_ns = world->now_ns;
}

void check_cabling(const struct world *world)
{
	if (world->check == NULL)
		return;
	world->check->cabling_ns = world->now_ns;
	world->check->any_trouble_ns = world->now_ns;
}

static bool is_able(const struct host *host)
{
	return host->running && !host->paused && !host->kernel.jammed && !host->stopping;
}

bool check_untroubled_since(const struct check *check, size_t a, size_t b, size_t unit, int64_t *ret_ns)
{
	const struct world *world = check->world;
	size_t port = unit % world->scenario->segment_count;
	int64_t since_ns = check->cabling_ns;

	if (!is_able(&world->hosts[a]) || !is_able(&world->hosts[b]))
		return false;
	if (!network_reaches(world, a, b, port) || !network_reaches(world, b, a, port))
		return false;
	since_ns = latest(since_ns, latest(check->trouble_ns[a], check->trouble_ns[b]));
	since_ns = latest(since_ns, latest(check->lost_ns[a][b], check->lost_ns[b][a]));
	*ret_ns = since_ns;
	return true;
}
