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
			assert_int_equal(judge("10.0.0.2", boot * 1000, 0), SIGHTING_NEW);
	/* Nor may counters recorded before then, played back, turn us against it. */
	for (uint64_t boot = 1; boot < 39; boot++) {
		judge("10.0.0.2", boot * 1000, 0);
		assert_int_equal(judge("10.0.0.2", 39 * 1000, 0), SIGHTING_NEW);
	}
	set_up(NULL);
	assert_int_equal(judge("10.0.0.2", 1000, 0), SIGHTING_NEW);
	assert_int_equal(judge("10.0.0.2", 2000, 0), SIGHTING_NEW);
	assert_int_equal(judge("10.0.0.2", 2000, 0), SIGHTING_NEW);
}

/* A counter used again at first does not make a host constant that counts on. */
static void test_first_one_comes_twice(void **state)
{
	(void)state;
	assert_int_equal(judge("10.0.0.2", 100, 0), SIGHTING_NEW);
	assert_int_equal(judge("10.0.0.2", 100, 0), SIGHTING_NEW);
	hear_moving("10.0.0.2", 101, 2);
	assert_int_equal(judge("10.0.0.2", 100, 0), SIGHTING_REPEATED);
}

/* However long ago: a host that counts is remembered by the ends of what it counted. */
static void test_an_old_one_comes_again(void **state)
{
	(void)state;
	hear_moving("10.0.0.2", UINT64_MAX - 5000, 10000);
	assert_int_equal(judge("10.0.0.2", UINT64_MAX - 5000, 0), SIGHTING_REPEATED);
	assert_int_equal(judge("10.0.0.2", UINT64_MAX, 1), SIGHTING_ALTERED);
	assert_int_equal(judge("10.0.0.2", 4998, 0), SIGHTING_REPEATED);
	assert_int_equal(judge("10.0.0.2", 4999, 0), SIGHTING_NEW);
}

/* FreeBSD draws each counter until it has heard somebody. */
static void test_only_so_many_runs_are_kept(void **state)
{
	(void)state;
	for (uint64_t i = 0; i <= SIGHTING_RUNS_MAX; i++)
		assert_int_equal(judge("10.0.0.2", i * 1000, 0), SIGHTING_NEW);
	assert_int_equal(judge("10.0.0.2", 1000, 0), SIGHTING_REPEATED);
	assert_int_equal(judge("10.0.0.2", 0, 0), SIGHTING_NEW);
}

/* With families counted apart, and some adverts lost. */
static void test_steps(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 100; i += 2) {
		if (i % 10 != 0)
			assert_int_equal(judge("10.0.0.2", 100 + i, 0), SIGHTING_NEW);
		assert_int_equal(judge("fe80::2", 101 + i, 0), SIGHTING_NEW);
	}
	assert_int_equal(judge("10.0.0.2", 104, 1), SIGHTING_ALTERED);
	assert_int_equal(judge("fe80::2", 104, 1), SIGHTING_ALTERED);
	assert_int_equal(judge("fe80::2", 105, 0), SIGHTING_REPEATED);
}

/* OpenBSD at 10.0.0.3 and FreeBSD at 10.0.0.2 by turns: the latter counts on from the same cookie each time.
 */
static void test_freebsd_beside_openbsd(void **state)
{
	(void)state;
	for (uint8_t reign = 0; reign < 5; reign++) {
		for (int i = 0; i < 3; i++)
			assert_int_equal(judge("10.0.0.3", 7, 0), SIGHTING_NEW);
		for (uint64_t i = 1; i < 4u + reign; i++)
			if (i != 1 || reign != 3) /* one that was lost */
				assert_int_equal(judge("10.0.0.2", 7 + i, reign), SIGHTING_NEW);
	}
	/* Another that was never heard before counts on from there as well. */
	judge("10.0.0.3", 7, 0);
	for (uint64_t i = 1; i < 4; i++)
		assert_int_equal(judge("10.0.0.4", 7 + i, 9), SIGHTING_NEW);
}

/* In a split two hosts count on from one number; when they meet, the one follows the other back. */
static void test_halves_meet_again(void **state)
{
	(void)state;
	hear_moving("10.0.0.3", 100, 3);
	hear_moving("10.0.0.2", 103, 50);
	assert_int_equal(judge("10.0.0.3", 113, 9), SIGHTING_NEW);
	assert_int_equal(judge("10.0.0.2", 114, 0), SIGHTING_NEW);
	for (uint64_t i = 115; i < 200; i++)
		assert_int_equal(judge(i % 2 ? "10.0.0.3" : "10.0.0.2", i, 0), SIGHTING_NEW);
	/* But nobody may come from nowhere. */
	assert_int_equal(judge("10.0.0.9", 150, 0), SIGHTING_ALTERED);
	assert_int_equal(judge("fe80::2", 150, 9), SIGHTING_ALTERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(test_replay_of_a_dead_master, set_up),
	        cmocka_unit_test_setup(test_altered, set_up),
	        cmocka_unit_test_setup(test_one_counter_over_both_families, set_up),
	        cmocka_unit_test_setup(test_openbsd, set_up),
	        cmocka_unit_test_setup(test_openbsd_starts_again, set_up),
	        cmocka_unit_test_setup(test_first_one_comes_twice, set_up),
	        cmocka_unit_test_setup(test_an_old_one_comes_again, set_up),
	        cmocka_unit_test_setup(test_only_so_many_runs_are_kept, set_up),
	        cmocka_unit_test_setup(test_steps, set_up),
	        cmocka_unit_test_setup(test_freebsd_beside_openbsd, set_up),
	        cmocka_unit_test_setup(test_halves_meet_again, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
