#include "address.h"

#include <string.h>

const struct address carp_group_ipv4 = {FAMILY_IPV4, {224, 0, 0, 18}};
const struct address carp_group_ipv6 = {FAMILY_IPV6, {0xff, 0x02, [15] = 0x12}};

int address_compare(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, address_bytes(a));
}

bool address_equal(const struct address *a, const struct address *b)
{
	return address_compare(a, b) == 0;
}

bool address_is_unspecified(const struct address *a)
{
	static const uint8_t zeros[16];

	return a->family == FAMILY_NONE || memcmp(a->bytes, zeros, address_bytes(a)) == 0;
}

bool address_is_link_local(const struct address *a)
{
	return a->family == FAMILY_IPV6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

bool address_is_multicast(const struct address *a)
{
	if (a->family == FAMILY_IPV4)
		return (a->bytes[0] & 0xf0) == 0xe0;
	return a->family == FAMILY_IPV6 && a->bytes[0] == 0xff;
}

struct mac mac_virtual(uint8_t vhid)
{
	return (struct mac){{0x00, 0x00, 0x5e, 0x00, 0x01, vhid}};
}

/* RFC 1112 6.4 (the low 23 bits) and RFC 2464 7 (the low 32 bits). */
struct mac mac_of_group(const struct address *group)
{
	const uint8_t *b = group->bytes;

	if (group->family == FAMILY_IPV4)
		return (struct mac){{0x01, 0x00, 0x5e, b[1] & 0x7f, b[2], b[3]}};
	return (struct mac){{0x33, 0x33, b[12], b[13], b[14], b[15]}};
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
