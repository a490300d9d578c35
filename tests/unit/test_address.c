#include "unit.h"

static void test_order(void **state)
{
	(void)state;
	static const char *const ascending[] = {
	        "0.0.0.0",
	        "9.255.255.255",
	        "10.0.0.2",
	        "10.0.0.10",
	        "128.0.0.1",
	        "255.255.255.255",
	        "::",
	        "::1",
	        "2001:db8::1",
	        "fe80::1",
	        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	};
	const int count = sizeof(ascending) / sizeof(ascending[0]);

	for (int i = 0; i < count; i++) {
		for (int j = 0; j < count; j++) {
			struct address a = address_of(ascending[i]), b = address_of(ascending[j]);
			int order = address_compare(&a, &b);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
			assert_int_equal(address_equal(&a, &b), i == j);
		}
	}
}

/* Only the bytes that the family has may count. */
static void test_rest_of_ipv4(void **state)
{
	(void)state;
	struct address a = address_of("10.0.0.1"), b = a;

	b.bytes[4] = 1;
	assert_true(address_equal(&a, &b));
}

static void test_kinds(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool unspecified, link_local, multicast;
	} cases[] = {
	        {"0.0.0.0", true, false, false},      {"::", true, false, false},
	        {"10.0.0.1", false, false, false},    {"169.254.0.1", false, false, false},
	        {"223.255.0.1", false, false, false}, {"224.0.0.18", false, false, true},
	        {"239.1.1.1", false, false, true},    {"240.0.0.1", false, false, false},
	        {"fe80::1", false, true, false},      {"febf::1", false, true, false},
	        {"fec0::1", false, false, false},     {"ff02::12", false, false, true},
	        {"::1", false, false, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct address a = address_of(cases[i].text);
		assert_int_equal(address_is_unspecified(&a), cases[i].unspecified);
		assert_int_equal(address_is_link_local(&a), cases[i].link_local);
		assert_int_equal(address_is_multicast(&a), cases[i].multicast);
	}
	assert_true(address_is_unspecified(&(struct address){.family = FAMILY_NONE}));
}

static void test_hardware_addresses(void **state)
{
	(void)state;
	struct address high = address_of("239.128.255.1");
	struct mac virtual = mac_virtual(200), other = mac_virtual(201);
	struct mac ipv4 = mac_of_group(&carp_group_ipv4), ipv6 = mac_of_group(&carp_group_ipv6);
	struct mac cut = mac_of_group(&high);

	assert_memory_equal(virtual.bytes, "\x00\x00\x5e\x00\x01\xc8", 6);
	assert_memory_equal(ipv4.bytes, "\x01\x00\x5e\x00\x00\x12", 6);
	assert_memory_equal(ipv6.bytes, "\x33\x33\x00\x00\x00\x12", 6);
	assert_memory_equal(cut.bytes, "\x01\x00\x5e\x00\xff\x01", 6);
	assert_true(mac_equal(&virtual, &virtual));
	assert_false(mac_equal(&virtual, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_order),
	        cmocka_unit_test(test_rest_of_ipv4),
	        cmocka_unit_test(test_kinds),
	        cmocka_unit_test(test_hardware_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
