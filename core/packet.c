#include "packet.h"

#include <stdbool.h>
#include <string.h>

#include "advert.h"

#define IPV4_BYTES     20
#define IPV6_BYTES     40
#define IPV4_FRAGMENT  0x3fff /* more fragments, and the offset */
#define TOS_LOW_DELAY  0x10
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd

static uint16_t read_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void write_u16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static struct address read_address(enum family family, const uint8_t *p)
{
	struct address a = {.family = (uint8_t)family};

	memcpy(a.bytes, p, address_bytes(&a));
	return a;
}

static enum drop parse_ipv4(const uint8_t *network, size_t bytes, struct packet *ret_packet)
{
	if (bytes < IPV4_BYTES)
		return DROP_HEADER;
	size_t header = (size_t)(network[0] & 0x0f) * 4;
	size_t total = read_u16(network + 2);
	if (header < IPV4_BYTES || total < header || total > bytes)
		return DROP_HEADER;
	if (internet_checksum(network, header) != 0 || network[9] != CARP_PROTOCOL)
		return DROP_HEADER;
	if ((read_u16(network + 6) & IPV4_FRAGMENT) != 0)
		return DROP_FRAGMENT;

	ret_packet->source = read_address(FAMILY_IPV4, network + 12);
	ret_packet->destination = read_address(FAMILY_IPV4, network + 16);
	ret_packet->ttl = network[8];
	ret_packet->payload = network + header;
	ret_packet->payload_bytes = total - header;
	return DROP_NONE;
}

static enum drop parse_ipv6(const uint8_t *network, size_t bytes, struct packet *ret_packet)
{
	if (bytes < IPV6_BYTES)
		return DROP_HEADER;
	/* A length of zero is a jumbogram (RFC 2675), which no advert is. */
	size_t payload = read_u16(network + 4);
	if (payload == 0 || payload > bytes - IPV6_BYTES || network[6] != CARP_PROTOCOL)
		return DROP_HEADER;

	ret_packet->source = read_address(FAMILY_IPV6, network + 8);
	ret_packet->destination = read_address(FAMILY_IPV6, network + 24);
	ret_packet->ttl = network[7];
	ret_packet->payload = network + IPV6_BYTES;
	ret_packet->payload_bytes = payload;
	return DROP_NONE;
}

enum drop packet_parse(const uint8_t *network, size_t bytes, struct packet *ret_packet)
{
	if (bytes == 0)
		return DROP_HEADER;
	switch (network[0] >> 4) {
	case 4:
		return parse_ipv4(network, bytes, ret_packet);
	case 6:
		return parse_ipv6(network, bytes, ret_packet);
	default:
		return DROP_HEADER;
	}
}

static void build_ipv4(const struct address *source, const struct address *destination, size_t payload_bytes,
                       uint8_t ret_header[IPV4_BYTES])
{
	memset(ret_header, 0, IPV4_BYTES);
	ret_header[0] = 4 << 4 | IPV4_BYTES / 4;
	ret_header[1] = TOS_LOW_DELAY;
	write_u16(ret_header + 2, IPV4_BYTES + payload_bytes);
	/* An atomic datagram needs no id (RFC 6864 4.1). */
	ret_header[6] = 0x40;
	ret_header[8] = CARP_TTL;
	ret_header[9] = CARP_PROTOCOL;
	memcpy(ret_header + 12, source->bytes, 4);
	memcpy(ret_header + 16, destination->bytes, 4);
	write_u16(ret_header + 10, internet_checksum(ret_header, IPV4_BYTES));
}

static void build_ipv6(const struct address *source, const struct address *destination, size_t payload_bytes,
                       uint8_t ret_header[IPV6_BYTES])
{
	memset(ret_header, 0, IPV6_BYTES);
	ret_header[0] = 6 << 4;
	write_u16(ret_header + 4, payload_bytes);
	ret_header[6] = CARP_PROTOCOL;
	ret_header[7] = CARP_TTL;
	memcpy(ret_header + 8, source->bytes, 16);
	memcpy(ret_header + 24, destination->bytes, 16);
}

size_t packet_build(const struct mac *source_mac, const struct mac *destination_mac,
                    const struct address *source, const struct address *destination, const uint8_t *payload,
                    size_t payload_bytes, uint8_t ret_frame[PACKET_FRAME_MAX])
{
	bool ipv4 = destination->family == FAMILY_IPV4;
	uint8_t *network = ret_frame + ETHERNET_BYTES;
	size_t header_bytes = ipv4 ? IPV4_BYTES : IPV6_BYTES;

	memcpy(ret_frame, destination_mac->bytes, 6);
	memcpy(ret_frame + 6, source_mac->bytes, 6);
	write_u16(ret_frame + 12, ipv4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
	if (ipv4)
		build_ipv4(source, destination, payload_bytes, network);
	else
		build_ipv6(source, destination, payload_bytes, network);
	memcpy(network + header_bytes, payload, payload_bytes);
	return ETHERNET_BYTES + header_bytes + payload_bytes;
}
