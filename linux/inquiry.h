/*
 * All ARP that reaches this host, by any interface, for those who want to look at it now and then: it
 * waits in the socket, wakes nobody, and what finds no room is lost.
 */
#ifndef CARPD_LINUX_INQUIRY_H
#define CARPD_LINUX_INQUIRY_H

#include <stdbool.h>

#include "core/address.h"

struct inquiry {
	int link_index;
	bool question; /* or an answer */
	struct address sender, target;
	struct mac sender_mac, target_mac;
};

/* A descriptor or -errno. */
int inquiry_open(void);

/* The next one; false if there is none. */
bool inquiry_receive(int fd, struct inquiry *ret_inquiry);

#endif
