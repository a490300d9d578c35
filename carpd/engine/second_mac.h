/*
 * A network that refuses the virtual MAC: a cloud, a hypervisor's switch or a port with a list of MACs.
 * The kernel does not see it, and other hosts' adverts may arrive all the same.
 *
 * It is suspected where clients ask for an address that is served here and nothing has ever come to its
 * virtual MAC.  Then one of them is asked himself, from both MACs: one who answers the interface's own again
 * and again, and the virtual one never, shows it.
 */
#ifndef CARPD_SECOND_MAC_H
#define CARPD_SECOND_MAC_H

#include <jansson.h>

#include "core/address.h"

struct daemon;
struct group;

/* One at a time. */
struct trial {
	int fd; /* linux/inquiry.h; -1: every virtual MAC here is known */
	int link_index;
	struct address asker; /* FAMILY_NONE: none has asked */
	struct mac asker_mac;
	uint8_t vhid;
	unsigned questions, answers;
};

void second_mac_open(struct daemon *daemon);
void second_mac_close(struct daemon *daemon);

/* Every few seconds. */
void second_mac_look(struct daemon *daemon);

/* Appends a sentence for a group whose virtual MAC is refused. */
void second_mac_describe(const struct daemon *daemon, const struct group *group, json_t *texts);

#endif
