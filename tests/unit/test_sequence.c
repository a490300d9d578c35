/*
 * The sequence of seals over many runs: never used twice, and never far from the clock.
 */
#include "lab.h"

static struct lab lab;

static int set_up(void **state)
{
	(void)state;
	lab_init(&lab);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_close(&lab);
	return 0;
}

/* Its wall clock stands at LAB_SEQUENCE when its boot clock is 0. */
static uint64_t wall(void)
{
	return LAB_SEQUENCE + (uint64_t)lab.now.ns;
}

/* A run that begins where an earlier one has reserved numbers up to there. */
static void start(uint64_t reserved)
{
	lab_close(&lab);
	lab.settings.start = lab.now;
	lab.settings.sequence_base = engine_first_sequence(reserved, (int64_t)wall());
	lab_place(&lab);
}

static void test_it_is_the_time(void **state)
{
	(void)state;
	start(5);
	assert_int_equal(engine_next_sequence(lab.engine, lab.now), LAB_SEQUENCE);
	assert_int_equal(engine_next_sequence(lab.engine, lab.now), LAB_SEQUENCE + 1);
	lab.now.ns = 7;
	assert_int_equal(engine_next_sequence(lab.engine, lab.now), LAB_SEQUENCE + 7);
}

static void test_clock_set_back(void **state)
{
	(void)state;
	start(0);
	engine_next_sequence(lab.engine, lab.now);
	lab.engine->wall_offset_ns -= 1000;
	for (unsigned i = 1; i < 10; i++)
		assert_int_equal(engine_next_sequence(lab.engine, lab.now), LAB_SEQUENCE + i);
	lab.now.ns = 1009;
	assert_int_equal(engine_next_sequence(lab.engine, lab.now), LAB_SEQUENCE + 10);
	lab.now.ns = 1011;
	assert_int_equal(engine_next_sequence(lab.engine, lab.now), LAB_SEQUENCE + 11);
	lab.now.ns = 2000;
	assert_int_equal(engine_next_sequence(lab.engine, lab.now), LAB_SEQUENCE + 1000);
}

/* Ahead of the clock it counts on, and is the time again when the clock has come so far. */
static void test_lead_shrinks(void **state)
{
	(void)state;
	start(LAB_SEQUENCE + 30 * NS_PER_S);
	assert_int_equal(engine_next_sequence(lab.engine, lab.now), LAB_SEQUENCE + 30 * NS_PER_S + 1);
	lab.now.ns = 30 * NS_PER_S;
	assert_int_equal(engine_next_sequence(lab.engine, lab.now), LAB_SEQUENCE + 30 * NS_PER_S + 2);
	lab.now.ns = 30 * NS_PER_S + 3;
	assert_int_equal(engine_next_sequence(lab.engine, lab.now), wall());
}

static void test_how_much_is_reserved(void **state)
{
	(void)state;
	start(0);
	uint64_t reserved = engine_reserve_sequences(lab.engine, lab.now);
	assert_int_equal(reserved, LAB_SEQUENCE + 30 * NS_PER_S);
	lab.now.ns = 20 * NS_PER_S;
	assert_false(engine_sequences_run_short(lab.engine, reserved, lab.now));
	lab.now.ns++;
	assert_true(engine_sequences_run_short(lab.engine, reserved, lab.now));

	/* Far ahead of the clock: a number for each advert. */
	start(LAB_SEQUENCE + 100 * NS_PER_S);
	assert_int_equal(engine_reserve_sequences(lab.engine, lab.now),
	                 LAB_SEQUENCE + 100 * NS_PER_S + 1000000);
}

/* Half of what this host, and its peers with it, would let pass. */
static void test_narrow_window(void **state)
{
	(void)state;
	lab.group.seal_window_ns = 10 * NS_PER_S;
	start(0);
	assert_int_equal(engine_reserve_sequences(lab.engine, lab.now), LAB_SEQUENCE + 5 * NS_PER_S);
	lab.group.seal_window_ns = 1 * NS_PER_S;
	assert_int_equal(engine_reserve_sequences(lab.engine, lab.now), LAB_SEQUENCE + 3 * NS_PER_S);
	lab.group.seal_window_ns = 0;
	assert_int_equal(engine_reserve_sequences(lab.engine, lab.now), LAB_SEQUENCE + 30 * NS_PER_S);
}

/* However often: no number comes twice, and none is further ahead than one run reserves. */
static void test_starts_without_an_end(void **state)
{
	(void)state;
	uint64_t reserved = 0, last = 0;

	for (int run = 0; run < 5000; run++) {
		start(reserved);
		reserved = engine_reserve_sequences(lab.engine, lab.now);
		for (int advert = 0; advert < 5; advert++) {
			uint64_t sequence = engine_next_sequence(lab.engine, lab.now);
			assert_true(sequence > last && sequence < reserved);
			assert_true(sequence <= wall() + 30 * NS_PER_S + 1000000);
			last = sequence;
		}
		lab.now = instant_after(lab.now, 5 * NS_PER_MS);
	}
	lab.now = instant_after(lab.now, 31 * NS_PER_S);
	assert_int_equal(engine_next_sequence(lab.engine, lab.now), wall());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_it_is_the_time),       TEST(test_clock_set_back), TEST(test_lead_shrinks),
	        TEST(test_how_much_is_reserved), TEST(test_narrow_window),  TEST(test_starts_without_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
