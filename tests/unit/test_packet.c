#include "unit.h"
#include "vectors.h"

#include <stdlib.h>
#include <time.h>

#include "core/packet.h"

static const struct mac theirs = {{2, 0, 0, 0, 0, 1}};
static uint8_t payload[72] = {0x21, 1};

/* A copy with nothing readable behind it, so that the sanitizer sees a read too far. */
static enum drop parse_exactly(const uint8_t *network, size_t bytes, struct packet *ret_packet)
{
	uint8_t *copy = malloc(bytes);
	struct packet packet = {0};
	enum drop result;

	if (bytes > 0)
		memcpy(copy, network, bytes);
	result = packet_parse(copy, bytes, &packet);
	if (result == DROP_NONE) {
		assert_true(packet.payload >= copy);
		assert_true(packet.payload + packet.payload_bytes <= copy + bytes);
		packet.payload = network + (packet.payload - copy);
		*ret_packet = packet;
	}
	free(copy);
	return result;
}

static void check_vector(const struct vector *v)
{
	const uint8_t *network = v->frame + ETHERNET_BYTES;
	uint8_t frame[PACKET_FRAME_MAX];
	struct packet packet;

	if (v->frame_bytes == 0)
		return;
	assert_int_equal(parse_exactly(network, v->frame_bytes - ETHERNET_BYTES, &packet), DROP_NONE);
	assert_int_equal(packet.ttl, CARP_TTL);
	assert_int_equal(packet.payload_bytes, ADVERT_BYTES);
	assert_memory_equal(packet.payload, v->header, ADVERT_BYTES);
	assert_true(address_equal(&packet.destination, packet.destination.family == FAMILY_IPV4
	                                                       ? &carp_group_ipv4
	                                                       : &carp_group_ipv6));

	/* NetBSD's id is zero too, so that our frame must be theirs. */
	struct mac source = mac_virtual(v->advert.vhid), destination = mac_of_group(&packet.destination);
	size_t bytes = packet_build(&source, &destination, &packet.source, &packet.destination,
	                            packet.payload, packet.payload_bytes, frame);
	assert_int_equal(bytes, v->frame_bytes);
	assert_memory_equal(frame, v->frame, bytes);
}

static void test_vectors(void **state)
{
	(void)state;
	vectors_each(check_vector);
}

static size_t build(const char *source, const char *destination, size_t bytes, uint8_t *ret_frame)
{
	struct address from = address_of(source), to = address_of(destination);
	struct mac mac = mac_of_group(&to);

	return packet_build(&theirs, &mac, &from, &to, payload, bytes, ret_frame);
}

static void sum_again(uint8_t *ipv4)
{
	size_t bytes = (size_t)(ipv4[0] & 0x0f) * 4;

	ipv4[10] = ipv4[11] = 0;
	uint16_t sum = (uint16_t)~independent_sum(ipv4, bytes);
	ipv4[10] = (uint8_t)(sum >> 8);
	ipv4[11] = (uint8_t)sum;
}

static void test_round_trip(void **state)
{
	(void)state;
	static const size_t sizes[] = {ADVERT_BYTES, 72};
	uint8_t frame[PACKET_FRAME_MAX];
	struct packet packet;

	for (size_t i = 0; i < 2; i++) {
		size_t bytes = build("0.0.0.0", "192.0.2.7", sizes[i], frame);
		assert_int_equal(bytes, 34 + sizes[i]);
		assert_int_equal(parse_exactly(frame + 14, bytes - 14, &packet), DROP_NONE);
		assert_int_equal(packet.payload_bytes, sizes[i]);
		assert_true(address_is_unspecified(&packet.source));

		bytes = build("fe80::1", "ff02::12", sizes[i], frame);
		assert_int_equal(bytes, 54 + sizes[i]);
		assert_int_equal(parse_exactly(frame + 14, bytes - 14, &packet), DROP_NONE);
		assert_int_equal(packet.payload_bytes, sizes[i]);
		assert_int_equal(packet.source.family, FAMILY_IPV6);
	}
}

static void test_every_length(void **state)
{
	(void)state;
	uint8_t frame[PACKET_FRAME_MAX];
	struct packet packet;
	size_t end = build("10.0.0.1", "224.0.0.18", ADVERT_BYTES, frame) - 14;

	for (size_t bytes = 0; bytes < end; bytes++)
		assert_int_equal(parse_exactly(frame + 14, bytes, &packet), DROP_HEADER);
	end = build("fe80::1", "ff02::12", ADVERT_BYTES, frame) - 14;
	for (size_t bytes = 0; bytes < end; bytes++)
		assert_int_equal(parse_exactly(frame + 14, bytes, &packet), DROP_HEADER);
}

static void test_padding(void **state)
{
	(void)state;
	uint8_t frame[PACKET_FRAME_MAX] = {0};
	struct packet packet;
	size_t bytes = build("10.0.0.1", "224.0.0.18", ADVERT_BYTES, frame);

	assert_int_equal(parse_exactly(frame + 14, bytes - 14 + 10, &packet), DROP_NONE);
	assert_int_equal(packet.payload_bytes, ADVERT_BYTES);
	bytes = build("fe80::1", "ff02::12", ADVERT_BYTES, frame);
	assert_int_equal(parse_exactly(frame + 14, bytes - 14 + 10, &packet), DROP_NONE);
	assert_int_equal(packet.payload_bytes, ADVERT_BYTES);
}

static void test_options(void **state)
{
	(void)state;
	uint8_t frame[PACKET_FRAME_MAX], packet_bytes[128] = {0};
	struct packet packet;

	build("10.0.0.1", "224.0.0.18", ADVERT_BYTES, frame);
	for (size_t words = 0; words <= 10; words++) {
		size_t header = 20 + 4 * words, total = header + ADVERT_BYTES;
		memcpy(packet_bytes, frame + 14, 20);
		memset(packet_bytes + 20, 1, header - 20);
		memcpy(packet_bytes + header, payload, ADVERT_BYTES);
		packet_bytes[0] = (uint8_t)(0x40 | header / 4);
		packet_bytes[3] = (uint8_t)total;
		sum_again(packet_bytes);
		assert_int_equal(parse_exactly(packet_bytes, total, &packet), DROP_NONE);
		assert_int_equal(packet.payload - packet_bytes, header);
		assert_int_equal(packet.payload_bytes, ADVERT_BYTES);
	}
}

/* Puts value into one byte of a good packet, with the checksum made right again. */
static enum drop parse_changed(const char *source, const char *destination, size_t at, uint8_t value)
{
	uint8_t frame[PACKET_FRAME_MAX];
	struct packet packet;
	size_t bytes = build(source, destination, ADVERT_BYTES, frame) - 14;
	uint8_t *network = frame + 14;

	network[at] = value;
	if (network[0] >> 4 == 4 && (network[0] & 0x0f) <= 10)
		sum_again(network);
	return parse_exactly(network, bytes, &packet);
}

static void test_bad_ipv4(void **state)
{
	(void)state;
	static const struct {
		size_t at;
		uint8_t value;
		enum drop right;
	} cases[] = {
	        {0, 0x44, DROP_HEADER},   /* a header of 16 bytes */
	        {0, 0x40, DROP_HEADER},   /* of none */
	        {0, 0x4f, DROP_HEADER},   /* longer than the packet */
	        {0, 0x05, DROP_HEADER},   /* version 0 */
	        {3, 19, DROP_HEADER},     /* a total shorter than the header */
	        {3, 57, DROP_HEADER},     /* a total of one too many */
	        {3, 20, DROP_NONE},       /* no payload at all: for advert_decode */
	        {2, 0xff, DROP_HEADER},   /* a total of 64 k */
	        {6, 0x20, DROP_FRAGMENT}, /* more fragments */
	        {7, 0x01, DROP_FRAGMENT}, /* the second fragment */
	        {6, 0x00, DROP_NONE},     /* DF is not demanded */
	        {8, 1, DROP_NONE},        /* nor is the TTL judged here */
	        {9, 17, DROP_HEADER},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(parse_changed("10.0.0.1", "224.0.0.18", cases[i].at, cases[i].value),
		                 cases[i].right);
}

static void test_bad_ipv6(void **state)
{
	(void)state;
	static const struct {
		size_t at;
		uint8_t value;
		enum drop right;
	} cases[] = {
	        {0, 0x50, DROP_HEADER}, {5, 0, DROP_HEADER}, /* a jumbogram */
	        {5, 37, DROP_HEADER},   {5, 35, DROP_NONE},   {4, 0xff, DROP_HEADER},
	        {6, 0, DROP_HEADER},    {6, 44, DROP_HEADER}, /* extension headers */
	        {6, 60, DROP_HEADER},   {7, 64, DROP_NONE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(parse_changed("fe80::1", "ff02::12", cases[i].at, cases[i].value),
		                 cases[i].right);
}

static void test_ipv4_checksum(void **state)
{
	(void)state;
	uint8_t frame[PACKET_FRAME_MAX];
	struct packet packet;
	size_t bytes = build("10.0.0.1", "224.0.0.18", ADVERT_BYTES, frame) - 14;

	frame[14 + 15] ^= 2;
	assert_int_equal(parse_exactly(frame + 14, bytes, &packet), DROP_HEADER);
}

static void test_noise(void **state)
{
	(void)state;
	unsigned int seed = (unsigned int)time(NULL);
	uint8_t noise[80];
	struct packet packet;

	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 20000; round++) {
		size_t bytes = (size_t)rand() % sizeof(noise);
		for (size_t i = 0; i < bytes; i++)
			noise[i] = (uint8_t)rand();
		/* Only so do most rounds come past the version. */
		noise[0] = (uint8_t)(rand() % 2 != 0 ? 0x60 : 0x45 + rand() % 4);
		if (bytes >= 40 && noise[0] >> 4 == 4) {
			noise[2] = 0;
			noise[9] = CARP_PROTOCOL;
			sum_again(noise);
		}
		parse_exactly(noise, bytes, &packet);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_vectors),      cmocka_unit_test(test_round_trip),
	        cmocka_unit_test(test_every_length), cmocka_unit_test(test_padding),
	        cmocka_unit_test(test_options),      cmocka_unit_test(test_bad_ipv4),
	        cmocka_unit_test(test_bad_ipv6),     cmocka_unit_test(test_ipv4_checksum),
	        cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
