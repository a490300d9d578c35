#include "unit.h"

#include "core/sighting.h"

static struct sightings sightings;
static instant now;

static int set_up(void **state)
{
	(void)state;
	memset(&sightings, 0, sizeof(sightings));
	now = (instant){0};
	return 0;
}

static enum sighting_verdict judge(const char *source, uint64_t counter, uint8_t advskew)
{
	const struct address from = address_of(source);
	const struct advert advert = {.advbase = 1, .advskew = advskew, .counter = counter};

	return sighting_judge(&sightings, &from, &advert, now);
}

/* At an interval, so many times. */
static void hear_kept(const char *source, uint64_t counter, int times, enum sighting_verdict verdict)
{
	for (int i = 0; i < times; i++) {
		now.ns += NS_PER_S;
		assert_int_equal(judge(source, counter, 0), verdict);
	}
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
		hear_kept("10.0.0.2", boot * 1000, 5, SIGHTING_NEW);
	/* Nor may counters recorded before then, played back, turn us against it. */
	for (uint64_t boot = 1; boot < 39; boot++) {
		judge("10.0.0.2", boot * 1000, 0);
		hear_kept("10.0.0.2", 39 * 1000, 3, SIGHTING_NEW);
	}
	set_up(NULL);
	assert_int_equal(judge("10.0.0.2", 1000, 0), SIGHTING_NEW);
	assert_int_equal(judge("10.0.0.2", 2000, 0), SIGHTING_NEW);
	assert_int_equal(judge("10.0.0.2", 2000, 0), SIGHTING_NEW);
}

/* What is played twice says nothing of its sender, and least of all of others. */
static void test_one_played_twice(void **state)
{
	(void)state;
	hear_moving("10.0.0.2", 100, 5);
	hear_kept("10.0.0.9", 7, 20, SIGHTING_NEW);
	for (int i = 0; i < 8; i++)
		assert_int_equal(judge("10.0.0.2", 104, 0), SIGHTING_REPEATED);
	/* From the start on, each twice. */
	set_up(NULL);
	for (uint64_t i = 0; i < 3; i++) {
		judge("10.0.0.2", 100 + i, 0);
		now.ns += NS_PER_S;
		judge("10.0.0.2", 100 + i, 0);
	}
	assert_int_equal(judge("10.0.0.2", 101, 0), SIGHTING_REPEATED);
}

/* Somebody lends adverts of a host that counts to OpenBSD's address; it is believed again in time. */
static void test_lent_to_openbsd(void **state)
{
	(void)state;
	hear_moving("10.0.0.2", 100, 5);
	hear_kept("10.0.0.2", 7, 1, SIGHTING_NEW);
	hear_kept("10.0.0.2", 7, 300, SIGHTING_REPEATED);
	hear_kept("10.0.0.2", 7, 10, SIGHTING_NEW);
	/* Not by two adverts, however far apart. */
	hear_moving("10.0.0.3", 900, 5);
	now.ns += 400 * NS_PER_S;
	assert_int_equal(judge("10.0.0.3", 904, 0), SIGHTING_REPEATED);
	assert_int_equal(judge("10.0.0.3", 904, 0), SIGHTING_REPEATED);
}

/* What is suspected says nothing of the source that it claims. */
static void test_suspected_teach_nothing(void **state)
{
	(void)state;
	hear_moving("10.0.0.2", 100, 5);
	hear_kept("10.0.0.3", 7, 5, SIGHTING_NEW);
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(judge("10.0.0.3", 100 + i, 0), SIGHTING_ALTERED);
	hear_kept("10.0.0.3", 7, 5, SIGHTING_NEW);
}

/* Who counts is not forgotten for strangers. */
static void test_strangers(void **state)
{
	(void)state;
	char source[] = "10.0.1.0";
	hear_moving("10.0.0.2", 100, 5);
	for (uint64_t i = 0; i < 10; i++) {
		now.ns += NS_PER_S;
		source[7] = (char)('0' + i);
		assert_int_equal(judge(source, 1000 * (i + 1), 0), SIGHTING_NEW);
	}
	assert_int_equal(judge("10.0.0.2", 104, 0), SIGHTING_REPEATED);
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

/* FreeBSD counts on from OpenBSD's cookie each time: that is told, and for the engine not to act upon. */
static void test_freebsd_beside_openbsd(void **state)
{
	(void)state;
	hear_kept("10.0.0.3", 7, 3, SIGHTING_NEW);
	hear_moving("10.0.0.2", 8, 3);
	hear_kept("10.0.0.3", 7, 3, SIGHTING_NEW);
	assert_int_equal(judge("10.0.0.2", 8, 0), SIGHTING_REPEATED);
	assert_int_equal(judge("10.0.0.2", 11, 0), SIGHTING_NEW);
	hear_kept("10.0.0.3", 7, 3, SIGHTING_NEW);
}

/* In a split two hosts count on from one number; when they meet, the one follows the other back. */
static void test_halves_meet_again(void **state)
{
	(void)state;
	hear_moving("10.0.0.3", 100, 3);
	hear_moving("10.0.0.2", 103, 50);
	assert_int_equal(judge("10.0.0.3", 113, 9), SIGHTING_ALTERED);
	for (uint64_t i = 153; i < 200; i++)
		assert_int_equal(judge(i % 2 ? "10.0.0.3" : "10.0.0.2", i, 0), SIGHTING_NEW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(test_replay_of_a_dead_master, set_up),
	        cmocka_unit_test_setup(test_altered, set_up),
	        cmocka_unit_test_setup(test_one_counter_over_both_families, set_up),
	        cmocka_unit_test_setup(test_openbsd, set_up),
	        cmocka_unit_test_setup(test_openbsd_starts_again, set_up),
	        cmocka_unit_test_setup(test_one_played_twice, set_up),
	        cmocka_unit_test_setup(test_lent_to_openbsd, set_up),
	        cmocka_unit_test_setup(test_suspected_teach_nothing, set_up),
	        cmocka_unit_test_setup(test_strangers, set_up),
	        cmocka_unit_test_setup(test_first_one_comes_twice, set_up),
	        cmocka_unit_test_setup(test_an_old_one_comes_again, set_up),
	        cmocka_unit_test_setup(test_only_so_many_runs_are_kept, set_up),
	        cmocka_unit_test_setup(test_steps, set_up),
	        cmocka_unit_test_setup(test_freebsd_beside_openbsd, set_up),
	        cmocka_unit_test_setup(test_halves_meet_again, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
