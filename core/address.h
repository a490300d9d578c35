/*
 * IP and hardware addresses as values, in network byte order.
 */
#ifndef CARPD_CORE_ADDRESS_H
#define CARPD_CORE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum family {
	FAMILY_NONE = 0,
	FAMILY_IPV4 = 4,
	FAMILY_IPV6 = 6,
};

/* An IPv4 address uses the first four bytes, the rest is zero. */
struct address {
	uint8_t family; /* enum family */
	uint8_t bytes[16];
};

/* An address that hosts share.  The prefix length says which subnet it serves; it is not hashed. */
struct shared_address {
	struct address address;
	uint8_t prefix_length;
};

struct mac {
	uint8_t bytes[6];
};

static inline size_t address_bytes(const struct address *a)
{
	return a->family == FAMILY_IPV4 ? 4 : 16;
}

/* Orders IPv4 before IPv6 and each family numerically: the order of the digest. */
int address_compare(const struct address *a, const struct address *b);
bool address_equal(const struct address *a, const struct address *b);
/* No address, 0.0.0.0 or ::. */
bool address_is_unspecified(const struct address *a);
/* fe80::/10 */
bool address_is_link_local(const struct address *a);
bool address_is_multicast(const struct address *a);

/* 00:00:5e:00:01:VHID, for both families (doc/carp.md 1.4). */
struct mac mac_virtual(uint8_t vhid);
/* The Ethernet address of an IP multicast group. */
struct mac mac_of_group(const struct address *group);
bool mac_equal(const struct mac *a, const struct mac *b);

/* 224.0.0.18 and ff02::12. */
extern const struct address carp_group_ipv4;
extern const struct address carp_group_ipv6;

#endif
