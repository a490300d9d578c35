/*
 * All ARP that reaches this host by any interface, to be looked at now and then.  It waits in the socket
 * and wakes nobody.  What finds no room is lost.
 */
#ifndef CARPD_LINUX_INQUIRY_H
#define CARPD_LINUX_INQUIRY_H

#include <stdbool.h>

#include "core/address.h"

struct inquiry {
	int link_index;
	bool question; /* else an answer */
	struct address sender, target;
	struct mac sender_mac, target_mac;
};

/* A descriptor or -errno. */
int inquiry_open(void);

/* The next one; false if there is none. */
bool inquiry_receive(int fd, struct inquiry *ret_inquiry);

#endif
