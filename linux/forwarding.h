/*
 * Whether the kernel routes IPv6 on an interface: neighbour advertisements say so.
 */
#ifndef CARPD_LINUX_FORWARDING_H
#define CARPD_LINUX_FORWARDING_H

#include <stdbool.h>

/* False where it cannot be told. */
bool forwarding_ipv6(const char *interface);

#endif
