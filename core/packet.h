/*
 * An advert inside its IP packet, as it came off the wire and as it is sent.
 * Nobody has checked an incoming packet before this module (doc/linux.md 2.1).
 */
#ifndef CARPD_CORE_PACKET_H
#define CARPD_CORE_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "drop.h"

#define CARP_PROTOCOL    112 /* shared with VRRP */
#define CARP_TTL         255
#define ETHERNET_BYTES   14
#define PACKET_FRAME_MAX 160 /* Ethernet, IPv6 and two times 36 bytes, with room */

struct packet {
	struct address source;
	struct address destination;
	uint8_t ttl;            /* or hop limit; the caller decides whether it matters */
	const uint8_t *payload; /* inside the caller's buffer */
	size_t payload_bytes;
};

/*
 * network points at the IP header.  Ethernet padding after the packet is
 * ignored, IPv4 options are skipped, IPv6 extension headers are not.
 */
enum drop packet_parse(const uint8_t *network, size_t bytes, struct packet *ret_packet);

/*
 * A whole Ethernet frame: TTL 255, DF, low delay (0x10 for IPv4), IP id zero.
 * Returns its length, at most PACKET_FRAME_MAX; payload_bytes is at most 72.
 */
size_t packet_build(const struct mac *source_mac, const struct mac *destination_mac,
                    const struct address *source, const struct address *destination, const uint8_t *payload,
                    size_t payload_bytes, uint8_t ret_frame[PACKET_FRAME_MAX]);

#endif
