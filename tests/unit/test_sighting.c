#include "unit.h"

#include "core/sighting.h"

static struct sightings sightings;

static int set_up(void **state)
{
	(void)state;
	memset(&sightings, 0, sizeof(sightings));
	return 0;
}

static enum sighting_verdict judge(const char *source, uint64_t counter, uint8_t advskew)
{
	const struct address from = address_of(source);
	const struct advert advert = {.advbase = 1, .advskew = advskew, .counter = counter};

	return sighting_judge(&sightings, &from, &advert);
}

static void hear_moving(const char *source, uint64_t from, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		assert_int_equal(judge(source, from + i, 0), SIGHTING_NEW);
}

static void test_replay_of_a_dead_master(void **state)
{
	(void)state;
	hear_moving("10.0.0.2", 100, 5);
	for (int i = 0; i < 100; i++)
		assert_int_equal(judge("10.0.0.2", 104, 0), SIGHTING_REPEATED);
	assert_int_equal(judge("10.0.0.2", 102, 0), SIGHTING_REPEATED);
	assert_int_equal(judge("10.0.0.2", 105, 0), SIGHTING_NEW);
}

static void test_altered(void **state)
{
	(void)state;
	hear_moving("10.0.0.2", 100, 5);
	assert_int_equal(judge("10.0.0.2", 104, 1), SIGHTING_ALTERED);
	assert_int_equal(judge("10.0.0.9", 104, 0), SIGHTING_ALTERED);
	assert_int_equal(judge("fe80::9", 104, 1), SIGHTING_ALTERED);
}

static void test_one_counter_over_both_families(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 8; i++) {
		assert_int_equal(judge("10.0.0.2", 100 + i, 0), SIGHTING_NEW);
		assert_int_equal(judge("fe80::2", 100 + i, 0), SIGHTING_NEW);
	}
	assert_int_equal(judge("fe80::2", 107, 0), SIGHTING_REPEATED);
}

/* OpenBSD's counter is the same for ever, and its terms may change. */
static void test_openbsd(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < 100; i++)
		assert_int_equal(judge("10.0.0.2", 7, i), SIGHTING_NEW);
	for (uint8_t i = 0; i < 100; i++)
		assert_int_equal(judge(i % 2 ? "fe80::2" : "10.0.0.2", 7, 0), SIGHTING_NEW);
}

/* A new one each time it starts must not look like a counter that moves. */
static void test_openbsd_starts_again(void **state)
{
	(void)state;
	for (uint64_t boot = 1; boot < 40; boot++)
		for (int i = 0; i < 5; i++)
			assert_int_equal(judge("10.0.0.2", boot, 0), SIGHTING_NEW);
	/* Nor may counters recorded before then, played back, turn us against it. */
	for (uint64_t boot = 1; boot < 39; boot++) {
		judge("10.0.0.2", boot, 0);
		assert_int_equal(judge("10.0.0.2", 39, 0), SIGHTING_NEW);
	}
	set_up(NULL);
	assert_int_equal(judge("10.0.0.2", 1, 0), SIGHTING_NEW);
	assert_int_equal(judge("10.0.0.2", 2, 0), SIGHTING_NEW);
	assert_int_equal(judge("10.0.0.2", 2, 0), SIGHTING_NEW);
}

/* A moving peer beside a constant one: each is judged by its own habit. */
static void test_beside_each_other(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 6; i++) {
		assert_int_equal(judge("10.0.0.3", 7, 0), SIGHTING_NEW);
		assert_int_equal(judge("10.0.0.2", 100 + i, 0), SIGHTING_NEW);
	}
	assert_int_equal(judge("10.0.0.2", 105, 0), SIGHTING_REPEATED);
	assert_int_equal(judge("10.0.0.3", 7, 0), SIGHTING_NEW);
}

static void test_only_so_many_are_kept(void **state)
{
	(void)state;
	hear_moving("10.0.0.2", 100, SIGHTINGS_MAX + 1);
	assert_int_equal(judge("10.0.0.2", 101, 0), SIGHTING_REPEATED);
	assert_int_equal(judge("10.0.0.2", 100, 0), SIGHTING_NEW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(test_replay_of_a_dead_master, set_up),
	        cmocka_unit_test_setup(test_altered, set_up),
	        cmocka_unit_test_setup(test_one_counter_over_both_families, set_up),
	        cmocka_unit_test_setup(test_openbsd, set_up),
	        cmocka_unit_test_setup(test_openbsd_starts_again, set_up),
	        cmocka_unit_test_setup(test_beside_each_other, set_up),
	        cmocka_unit_test_setup(test_only_so_many_are_kept, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
