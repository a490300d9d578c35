/*
 * Somebody else who says that an address is his while this host serves it.  He is listened for, and
 * asked now and then, since in a switched network his answers to others are not heard here.
 */
#ifndef CARPD_SQUATTER_H
#define CARPD_SQUATTER_H

#include <jansson.h>
#include <stdbool.h>

#include "core/clock.h"
#include "linux/lookout.h"

#define SQUATTERS_MAX 16

struct daemon;
struct group;

struct squatter {
	int link_index;
	struct address address; /* FAMILY_NONE: an unused entry */
	struct mac mac;
	instant first, heard;
	bool told;
};

struct squatters {
	struct lookout lookout;
	struct squatter list[SQUATTERS_MAX];
	instant asked;
	unsigned turn; /* which part of the addresses is asked for next */
};

/* Without it everything else works, so a failure is but a warning. */
void squatter_open(struct daemon *daemon);
void squatter_close(struct daemon *daemon);
/* After a reload: other addresses. */
void squatter_follow_config(struct daemon *daemon);

void squatter_receive(struct daemon *daemon);
/* Every few seconds. */
void squatter_look(struct daemon *daemon);

void squatter_find(const struct daemon *daemon, const struct group *group, json_t *problems, json_t *notes);

#endif
