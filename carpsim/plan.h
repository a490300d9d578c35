/*
 * What to expect of a configuration: how long nobody answers after a crash, how
 * often a host takes over although it should not.
 */
#ifndef CARPSIM_PLAN_H
#define CARPSIM_PLAN_H

#include "scenario.h"

struct plan {
	size_t crashes;
	int64_t *outages_ns; /* of each crash, sorted */
	int64_t quiet_ns;    /* for which nothing was done to the hosts */
	uint64_t false_takeovers;
	int64_t doubled_ns; /* of quiet_ns, two or more hosts answered */
};

void plan_open(struct plan *plan, const struct scenario *scenario, size_t crashes, int64_t quiet_ns);
void plan_close(struct plan *plan);
/* The outage that so many in a thousand do not exceed. */
int64_t plan_outage_ns(const struct plan *plan, size_t per_thousand);

#endif
