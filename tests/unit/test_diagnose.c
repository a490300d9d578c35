#include "lab.h"

static struct lab lab;
static struct group_settings peer;
static struct shared_address theirs[LAB_ADDRESSES];

/* We share two IPv4 and two IPv6 addresses. */
static int set_up(void **state)
{
	(void)state;
	lab_init(&lab);
	lab.addresses[1].address = address_of("10.0.0.101");
	lab.addresses[2].address = address_of("2001:db8::100");
	lab.addresses[3].address = address_of("fe80::100");
	lab.group.address_count = 4;
	lab_place(&lab);
	lab_up(&lab);
	memcpy(theirs, lab.addresses, sizeof(theirs));
	peer = lab.group;
	peer.addresses = theirs;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_close(&lab);
	return 0;
}

static struct diagnosis diagnose(void)
{
	assert_int_equal(lab_hear(&lab, (struct said)SAID("10.0.0.2", 1, 0, 0, .like = &peer)), DROP_DIGEST);
	return engine_diagnose(&lab.engine->groups[0], lab_node(&lab));
}

static void test_lacks_one(void **state)
{
	(void)state;
	/* Without the link-local one its digest fits anyhow; without the other it is one of IPv4 only. */
	for (size_t left_out = 0; left_out < 2; left_out++) {
		memcpy(theirs, lab.addresses, sizeof(theirs));
		memmove(theirs + left_out, theirs + left_out + 1,
		        (LAB_ADDRESSES - 1 - left_out) * sizeof(theirs[0]));
		peer.address_count = 3;
		struct diagnosis diagnosis = diagnose();
		assert_int_equal(diagnosis.kind, DIAGNOSIS_PEER_LACKS);
		assert_true(address_equal(&diagnosis.address, &lab.addresses[left_out].address));
	}
}

static void test_one_family_only(void **state)
{
	(void)state;
	peer.address_count = 2;
	assert_int_equal(diagnose().kind, DIAGNOSIS_PEER_IPV4_ONLY);
	memcpy(theirs, lab.addresses + 2, 2 * sizeof(theirs[0]));
	assert_int_equal(diagnose().kind, DIAGNOSIS_PEER_IPV6_ONLY);
}

static void test_unknown(void **state)
{
	(void)state;
	peer.passphrase = (struct passphrase){"Secret", 6};
	assert_int_equal(diagnose().kind, DIAGNOSIS_UNKNOWN);
	peer = lab.group;
	peer.addresses = theirs;
	theirs[0].address = address_of("10.0.0.99");
	assert_int_equal(diagnose().kind, DIAGNOSIS_UNKNOWN);
}

static void test_only_address(void **state)
{
	(void)state;
	struct lab one;

	lab_init(&one);
	lab_place(&one);
	lab_up(&one);
	struct group_settings none = one.group;
	none.address_count = 0;
	assert_int_equal(lab_hear(&one, (struct said)SAID("10.0.0.2", 1, 0, 0, .like = &none)), DROP_DIGEST);
	assert_int_equal(engine_diagnose(&one.engine->groups[0], lab_node(&one)).kind, DIAGNOSIS_PEER_LACKS);
	lab_close(&one);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_lacks_one),
	        TEST(test_one_family_only),
	        TEST(test_unknown),
	        TEST(test_only_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
