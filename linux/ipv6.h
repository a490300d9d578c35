/*
 * Whether the kernel takes IPv6 addresses on an interface.
 */
#ifndef CARPD_LINUX_IPV6_H
#define CARPD_LINUX_IPV6_H

enum ipv6_state {
	IPV6_ON,
	IPV6_OFF,     /* disable_ipv6 of the interface; setting that of all sets it too */
	IPV6_NARROW,  /* the interface has none: its MTU is below 1280 */
	IPV6_MISSING, /* the kernel has none: ipv6.disable=1, or built without */
};

enum ipv6_state ipv6_look(const char *interface);

#endif
