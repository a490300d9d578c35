#include "network.h"

#include "world.h"

bool network_reaches(const struct world *world, size_t from, size_t to, size_t port)
{
	size_t base = world_base(world, from);

	return world->hosts[from].kernel.ports[port].up && world->hosts[to].kernel.ports[port].up &&
	       (world->network.blocked[from - base] & 1u << (to - base)) == 0;
}

static bool loses(struct world *world, const struct flight *flight, size_t to)
{
	const struct scenario *scenario = world->scenario;
	uint8_t *in_a_row =
	        &world->network.lost_in_a_row[flight->from % scenario->host_count][to % scenario->host_count]
	                                     [flight->unit][flight->packet[0] >> 4 == 6];
	bool lost = random_chance(&world->random, world->network.loss_per_million);

	if (lost && scenario->losses_in_a_row != LOSSES_UNBOUNDED && *in_a_row >= scenario->losses_in_a_row)
		lost = false;
	if (!lost)
		*in_a_row = 0;
	else if (*in_a_row < UINT8_MAX)
		++*in_a_row;
	return lost;
}

static void carry(struct world *world, const struct flight *flight, size_t to)
{
	int64_t way_ns = world->scenario->delay_ns;

	way_ns += random_between(&world->random, 0, world->scenario->jitter_ns);
	struct event *event = queue_add(&world->queue, world->now_ns + way_ns, EVENT_FLIGHT, (uint32_t)to);
	event->flight = *flight;
	event->flight.to = (uint32_t)to;
}

static bool is_meant(const struct host *host, size_t port, const struct address *to)
{
	return to->family == FAMILY_NONE || address_equal(&host->kernel.ports[port].ipv4, to);
}

void network_send(struct world *world, const struct flight *flight, const struct address *to)
{
	size_t base = world_base(world, flight->from);

	attacker_overhears(world, flight);
	for (size_t i = base; i < base + world->scenario->host_count; i++) {
		if (i == flight->from || !is_meant(&world->hosts[i], flight->port, to))
			continue;
		if (!network_reaches(world, flight->from, i, flight->port) || loses(world, flight, i) ||
		    attacker_withholds(world, flight, i)) {
			check_lost(world, flight->from, i);
			continue;
		}
		carry(world, flight, i);
		if (random_chance(&world->random, world->scenario->duplicate_per_million))
			carry(world, flight, i);
	}
}
