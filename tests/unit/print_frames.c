/* Prints one frame of each kind, in hexadecimal, for test_scapy.py to take apart. */
#include <stdio.h>

#include "core/announce.h"
#include "core/digest.h"
#include "core/packet.h"
#include "core/seal.h"

static const struct address host_ipv4 = {FAMILY_IPV4, {192, 0, 2, 2}};
static const struct address host_ipv6 = {FAMILY_IPV6, {0xfe, 0x80, [15] = 2}};
static const struct shared_address shared[] = {
        {{FAMILY_IPV4, {192, 0, 2, 1}}, 24},
        {{FAMILY_IPV6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}, 64},
};

static void print_frame(const char *name, const uint8_t *frame, size_t bytes)
{
	printf("%s ", name);
	for (size_t i = 0; i < bytes; i++)
		printf("%02x", frame[i]);
	printf("\n");
}

static void print_advert(const char *name, const struct address *source, const struct address *group,
                         bool sealed)
{
	const struct passphrase passphrase = {.bytes = "secret", .length = 6};
	struct advert advert = {
	        .vhid = 7, .advskew = 100, .advbase = 1, .demote = 3, .counter = 0x0123456789abcdef};
	struct mac from = mac_virtual(advert.vhid), to = mac_of_group(group);
	uint8_t payload[SEALED_BYTES], frame[PACKET_FRAME_MAX];
	struct digest digest;
	struct seal_key key;

	digest_prepare(&digest, &passphrase, advert.vhid, shared, 2, DIGEST_WITHOUT_LINK_LOCAL);
	digest_sign(&digest, advert.counter, advert.digest);
	advert_encode(&advert, payload);
	seal_key_derive(&key, 1, passphrase.bytes, passphrase.length);
	seal_write(&key, source, payload, 1, 0, 0, payload + ADVERT_BYTES);
	print_frame(name, frame,
	            packet_build(&from, &to, source, group, payload, sealed ? SEALED_BYTES : ADVERT_BYTES,
	                         frame));
}

static void print_announcement(const char *name, const struct address *address, enum announce_form form)
{
	struct mac mac = mac_virtual(7);
	uint8_t frame[ANNOUNCE_FRAME_MAX];

	print_frame(name, frame, announce_build(address, &mac, form, true, frame));
}

int main(void)
{
	print_advert("advert-ipv4", &host_ipv4, &carp_group_ipv4, false);
	print_advert("advert-ipv6", &host_ipv6, &carp_group_ipv6, false);
	print_advert("sealed-ipv4", &host_ipv4, &carp_group_ipv4, true);
	print_advert("sealed-ipv6", &host_ipv6, &carp_group_ipv6, true);
	print_announcement("arp-request", &shared[0].address, ANNOUNCE_REQUEST);
	print_announcement("arp-reply", &shared[0].address, ANNOUNCE_REPLY);
	print_announcement("neighbour", &shared[1].address, ANNOUNCE_REQUEST);
	return 0;
}
