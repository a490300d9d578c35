/*
 * The network between the hosts: it delays, loses, doubles and reorders, and
 * hears of no one who is cut off.
 */
#ifndef CARPSIM_NETWORK_H
#define CARPSIM_NETWORK_H

#include "queue.h"
#include "scenario.h"

struct world;

struct network {
	int64_t loss_per_million;
	/* blocked[a]: a bit for each host that does not hear host a. */
	uint32_t blocked[HOSTS_MAX];
	/* Each group and family for itself, as the timers that wait for them. */
	uint8_t lost_in_a_row[HOSTS_MAX][HOSTS_MAX][GROUPS_MAX][2];
};

/*
 * A packet leaves host from through its port.  to: FAMILY_NONE for everybody on
 * the segment, else the one host with that address.
 */
void network_send(struct world *world, const struct flight *flight, const struct address *to);

/* Whether to hears from, as far as cables and partitions go. */
bool network_reaches(const struct world *world, size_t from, size_t to, size_t port);

#endif
