#include "announce.h"

#include <string.h>

#include "advert.h"

#define ETHERNET_BYTES  14
#define ARP_BYTES       28
#define IPV6_BYTES      40
#define NEIGHBOUR_BYTES 32 /* neighbour advertisement with one link-layer option */
#define QUESTION_BYTES  24 /* neighbour solicitation without one, from nobody */

#define ICMPV6                  58
#define NEIGHBOUR_SOLICITATION  135
#define NEIGHBOUR_ADVERTISEMENT 136
#define FLAG_ROUTER             0x80
#define FLAG_OVERRIDE           0x20
#define OPTION_TARGET_MAC       2

static const struct mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct address all_nodes = {FAMILY_IPV6, {0xff, 0x02, [15] = 0x01}};

static void build_ethernet(const struct mac *destination, const struct mac *source, uint16_t type,
                           uint8_t ret_header[ETHERNET_BYTES])
{
	memcpy(ret_header, destination->bytes, 6);
	memcpy(ret_header + 6, source->bytes, 6);
	ret_header[12] = (uint8_t)(type >> 8);
	ret_header[13] = (uint8_t)type;
}

static size_t build_arp(const struct address *address, const struct mac *mac, enum announce_form form,
                        uint8_t *ret_frame)
{
	/* Ethernet and IPv4, six and four bytes; the operation follows. */
	static const uint8_t start[] = {0x00, 0x01, 0x08, 0x00, 6, 4, 0};
	uint8_t *arp = ret_frame + ETHERNET_BYTES;

	build_ethernet(&broadcast, mac, 0x0806, ret_frame);
	memcpy(arp, start, sizeof(start));
	arp[7] = form == ANNOUNCE_REQUEST ? 1 : 2;
	memcpy(arp + 8, mac->bytes, 6);
	memcpy(arp + 14, address->bytes, 4);
	/*
	 * In a request the target hardware address means nothing and is zero (RFC
	 * 5227 1.1).  A reply repeats the sender's, as RFC 5944 4.6 demands and
	 * arping -A of iputils does.
	 */
	if (form == ANNOUNCE_REQUEST)
		memset(arp + 18, 0, 6);
	else
		memcpy(arp + 18, mac->bytes, 6);
	memcpy(arp + 24, address->bytes, 4);
	return ETHERNET_BYTES + ARP_BYTES;
}

/* RFC 4443 2.3: the sum covers the pseudo header of RFC 8200 8.1 as well. */
static uint16_t icmpv6_checksum(const uint8_t *ipv6, size_t bytes)
{
	uint8_t sum[40 + NEIGHBOUR_BYTES] = {0};

	memcpy(sum, ipv6 + 8, 32);
	sum[35] = (uint8_t)bytes;
	sum[39] = ICMPV6;
	memcpy(sum + 40, ipv6 + IPV6_BYTES, bytes);
	return internet_checksum(sum, sizeof(sum));
}

/* A frame without source, addresses and message: these are for the caller. */
static uint8_t *begin_ipv6(const struct mac *mac, const struct address *destination, size_t bytes,
                           uint8_t *ret_frame)
{
	const struct mac group = mac_of_group(destination);
	uint8_t *ipv6 = ret_frame + ETHERNET_BYTES;

	build_ethernet(&group, mac, 0x86dd, ret_frame);
	memset(ipv6, 0, IPV6_BYTES + bytes);
	ipv6[0] = 6 << 4;
	ipv6[5] = (uint8_t)bytes;
	ipv6[6] = ICMPV6;
	ipv6[7] = 255; /* any other hop limit is dropped (RFC 4861 7.1.2) */
	memcpy(ipv6 + 24, destination->bytes, 16);
	return ipv6;
}

static size_t finish_ipv6(uint8_t *ipv6, size_t bytes)
{
	uint16_t checksum = icmpv6_checksum(ipv6, bytes);

	ipv6[IPV6_BYTES + 2] = (uint8_t)(checksum >> 8);
	ipv6[IPV6_BYTES + 3] = (uint8_t)checksum;
	return ETHERNET_BYTES + IPV6_BYTES + bytes;
}

static size_t build_neighbour(const struct address *address, const struct mac *mac, bool router,
                              uint8_t *ret_frame)
{
	uint8_t *ipv6 = begin_ipv6(mac, &all_nodes, NEIGHBOUR_BYTES, ret_frame);
	uint8_t *icmp = ipv6 + IPV6_BYTES;

	memcpy(ipv6 + 8, address->bytes, 16);
	icmp[0] = NEIGHBOUR_ADVERTISEMENT;
	icmp[4] = (uint8_t)(FLAG_OVERRIDE | (router ? FLAG_ROUTER : 0));
	memcpy(icmp + 8, address->bytes, 16);
	icmp[24] = OPTION_TARGET_MAC;
	icmp[25] = 1; /* in units of eight bytes */
	memcpy(icmp + 26, mac->bytes, 6);
	return finish_ipv6(ipv6, NEIGHBOUR_BYTES);
}

/* To the group of all who have an address that ends like this one. */
static size_t build_solicitation(const struct address *address, const struct mac *mac, uint8_t *ret_frame)
{
	struct address group = {FAMILY_IPV6, {0xff, 0x02, [11] = 0x01, [12] = 0xff}};

	memcpy(group.bytes + 13, address->bytes + 13, 3);
	uint8_t *ipv6 = begin_ipv6(mac, &group, QUESTION_BYTES, ret_frame);
	ipv6[IPV6_BYTES] = NEIGHBOUR_SOLICITATION;
	memcpy(ipv6 + IPV6_BYTES + 8, address->bytes, 16);
	return finish_ipv6(ipv6, QUESTION_BYTES);
}

size_t announce_build(const struct address *address, const struct mac *mac, enum announce_form form,
                      bool router, uint8_t ret_frame[ANNOUNCE_FRAME_MAX])
{
	if (address->family == FAMILY_IPV4)
		return build_arp(address, mac, form, ret_frame);
	return build_neighbour(address, mac, router, ret_frame);
}

size_t announce_build_question(const struct address *address, const struct mac *mac,
                               uint8_t ret_frame[ANNOUNCE_FRAME_MAX])
{
	if (address->family == FAMILY_IPV6)
		return build_solicitation(address, mac, ret_frame);
	size_t length = build_arp(address, mac, ANNOUNCE_REQUEST, ret_frame);
	memset(ret_frame + ETHERNET_BYTES + 14, 0, 4); /* from nobody */
	return length;
}
