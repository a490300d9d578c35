#include "unit.h"

#include <stdio.h>

#include "core/announce.h"

static const struct mac virtual = {{0, 0, 0x5e, 0, 1, 7}};

/* Gratuitous ARP of 192.0.2.1; operation and target MAC differ by form, and routers are not told. */
static void check_arp(enum announce_form form, bool router, const char *operation, const char *target_mac)
{
	uint8_t frame[ANNOUNCE_FRAME_MAX], right[64];
	struct address address = address_of("192.0.2.1");
	char hex[128];

	snprintf(hex, sizeof(hex),
	         "ffffffffffff00005e000107"
	         "0806"
	         "0001"
	         "0800"
	         "06"
	         "04"
	         "%s00005e000107c0000201%sc0000201",
	         operation, target_mac);
	size_t bytes = bytes_of(hex, right, sizeof(right));

	memset(frame, 0xee, sizeof(frame));
	assert_int_equal(announce_build(&address, &virtual, form, router, frame), bytes);
	assert_memory_equal(frame, right, bytes);
}

static void test_arp(void **state)
{
	(void)state;
	check_arp(ANNOUNCE_REQUEST, false, "0001", "000000000000");
	check_arp(ANNOUNCE_REPLY, true, "0002", "00005e000107");
}

static uint16_t pseudo_sum(const uint8_t *ipv6)
{
	uint8_t all[72];

	memcpy(all, ipv6 + 8, 32);
	memcpy(all + 32, "\0\0\0\x20\0\0\0\x3a", 8);
	memcpy(all + 40, ipv6 + 40, 32);
	return independent_sum(all, sizeof(all));
}

static void check_neighbour(const char *text, bool router)
{
	uint8_t frame[ANNOUNCE_FRAME_MAX], right[128];
	struct address address = address_of(text);
	size_t bytes = bytes_of("333300000001"
	                        "00005e000107"
	                        "86dd"
	                        "60000000"
	                        "0020"
	                        "3a"
	                        "ff"
	                        "00000000000000000000000000000000"
	                        "ff020000000000000000000000000001"
	                        "8800"
	                        "0000"
	                        "20000000"
	                        "00000000000000000000000000000000"
	                        "0201"
	                        "00005e000107",
	                        right, sizeof(right));

	memcpy(right + 22, address.bytes, 16);
	memcpy(right + 62, address.bytes, 16);
	if (router)
		right[58] |= 0x80;

	memset(frame, 0xee, sizeof(frame));
	assert_int_equal(announce_build(&address, &virtual, ANNOUNCE_REQUEST, router, frame), bytes);
	assert_int_equal(pseudo_sum(frame + 14), 0xffff);
	frame[56] = frame[57] = 0;
	assert_memory_equal(frame, right, bytes);
}

static void test_neighbour(void **state)
{
	(void)state;
	check_neighbour("2001:db8::1", false);
	check_neighbour("2001:db8::1", true);
	check_neighbour("fe80::1", true);
}

/* Ethernet, and what makes it a question: from nobody, to those who might have it. */
static void test_question(void **state)
{
	uint8_t frame[ANNOUNCE_FRAME_MAX];
	struct address ipv4 = address_of("10.0.0.100"), ipv6 = address_of("2001:db8::12:3456");

	(void)state;
	assert_int_equal(announce_build_question(&ipv4, &virtual, frame), 42);
	assert_int_equal(frame[21], 1);
	assert_memory_equal(frame + 28, "\0\0\0\0", 4);
	assert_memory_equal(frame + 38, ipv4.bytes, 4);

	assert_int_equal(announce_build_question(&ipv6, &virtual, frame), 78);
	assert_memory_equal(frame, "\x33\x33\xff\x12\x34\x56", 6);
	assert_memory_equal(frame + 22, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_memory_equal(frame + 38, "\xff\x02\0\0\0\0\0\0\0\0\0\x01\xff\x12\x34\x56", 16);
	assert_int_equal(frame[54], 135);
	assert_memory_equal(frame + 62, ipv6.bytes, 16);

	uint8_t all[64];
	memcpy(all, frame + 22, 32);
	memcpy(all + 32, "\0\0\0\x18\0\0\0\x3a", 8);
	memcpy(all + 40, frame + 54, 24);
	assert_int_equal(independent_sum(all, sizeof(all)), 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_arp),
	        cmocka_unit_test(test_neighbour),
	        cmocka_unit_test(test_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
