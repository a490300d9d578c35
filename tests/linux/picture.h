/*
 * What a listener knows of links and addresses, built from what rtnl tells it.
 */
#ifndef CARPD_TESTS_LINUX_PICTURE_H
#define CARPD_TESTS_LINUX_PICTURE_H

#include "linux/rtnl.h"
#include "network.h"

#define PICTURE_LINKS_MAX     32
#define PICTURE_ADDRESSES_MAX 4096

struct picture {
	struct rtnl *rtnl;
	struct rtnl_link links[PICTURE_LINKS_MAX];
	bool link_confirmed[PICTURE_LINKS_MAX];
	size_t link_count;
	struct rtnl_address addresses[PICTURE_ADDRESSES_MAX];
	bool address_confirmed[PICTURE_ADDRESSES_MAX];
	size_t address_count;
	int links_gone;
	int resyncs;
	int filter_link;                 /* the last one whose filters changed */
	bool ever_up[PICTURE_LINKS_MAX]; /* by link index */
	void (*on_resync_end)(struct picture *picture);
};

void picture_open(struct picture *picture);
void picture_close(struct picture *picture);
void picture_read(struct picture *picture);
/* Reads until nothing is left: enough where the changes were made before. */
void picture_settle(struct picture *picture);

const struct rtnl_link *picture_link(const struct picture *picture, const char *name);
const struct rtnl_address *picture_address(const struct picture *picture, int link_index, const char *text);

/* The same links and addresses as somebody sees who asks anew. */
void picture_assert_true_to_kernel(const struct picture *picture);

/* Reads events until condition holds; ends the test if that takes too long. */
#define picture_await(picture, condition)                                                                    \
	do {                                                                                                 \
		struct patience patience = network_patience();                                               \
		while (picture_read(picture), !(condition))                                                  \
			network_wait(patience, rtnl_fd((picture)->rtnl));                                    \
	} while (0)

#endif
