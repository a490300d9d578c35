/*
 * All links of the host and its IPv4 addresses: what else there is beside the parents, whom
 * they belong to and who shares a network with them.
 */
#ifndef CARPD_SURROUNDINGS_H
#define CARPD_SURROUNDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "linux/rtnl.h"

struct surroundings {
	struct rtnl_link *links;
	size_t link_count;
	struct rtnl_address *addresses; /* IPv4 only, without those that carpd added */
	size_t address_count;
	bool changed; /* for whoever draws conclusions; he sets it back */
};

void surroundings_note_link(struct surroundings *surroundings, const struct rtnl_link *link, bool gone);
void surroundings_note_address(struct surroundings *surroundings, const struct rtnl_address *address,
                               bool gone);
/* Before everything is told anew. */
void surroundings_forget(struct surroundings *surroundings);
void surroundings_free(struct surroundings *surroundings);

/* NULL if there is none, or not yet. */
const struct rtnl_link *surroundings_find(const struct surroundings *surroundings, int link_index);

/* The index of what takes the frames of link, such as the bridge it is a port of; 0: nothing. */
int surroundings_taker(const struct surroundings *surroundings, const struct rtnl_link *link);

#endif
