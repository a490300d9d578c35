/*
 * Linux answers ARP on any interface for any address of the host, unless a sysctl says otherwise.
 */
#ifndef CARPD_LINUX_ANSWERING_H
#define CARPD_LINUX_ANSWERING_H

#include <stdbool.h>

/* Whether interface answers for addresses of other interfaces (arp_ignore, arp_filter). */
bool answering_for_others(const char *interface);

#endif
