/*
 * Hosts, a network, one time.  One event after the other, and after each the
 * check.
 */
#ifndef CARPSIM_WORLD_H
#define CARPSIM_WORLD_H

#include "attacker.h"
#include "check.h"
#include "host.h"
#include "network.h"
#include "queue.h"
#include "random.h"
#include "scenario.h"
#include "trace.h"

struct world {
	const struct scenario *scenario;
	int64_t now_ns;
	struct queue queue;
	struct random random;
	struct network network;
	struct trace trace;
	struct attacker attacker;
	/* The scenario's hosts, as many times over as there are copies, each copy with segments of its own.
	 */
	struct host *hosts;
	size_t host_count;
	size_t copies;
	struct check *check; /* NULL: nobody looks */
	uint64_t events;
	uint64_t false_takeovers; /* because of silence while another host served */
};

/* copies other than 1: without check and disturbances, for measuring. */
void world_open(struct world *world, const struct scenario *scenario, size_t copies, bool checked);
void world_close(struct world *world);
/* The next event, if it comes not after until_ns; else false. */
bool world_step(struct world *world, int64_t until_ns);
/* Up to until_ns; stops early when the check has failed. */
void world_run(struct world *world, int64_t until_ns);

/* How many hosts of the first copy answer for the addresses of unit. */
size_t world_servers(const struct world *world, size_t unit);

/* The first host of the copy that host is in. */
static inline size_t world_base(const struct world *world, size_t host)
{
	return host - host % world->scenario->host_count;
}

#endif
