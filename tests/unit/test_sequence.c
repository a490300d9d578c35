/*
 * The sequence of seals over many runs: never used twice, and never behind the clock.
 */
#include "lab.h"

#include "core/engine_private.h"

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

static uint64_t next(void)
{
	struct node *node = lab_node(&lab);

	node->sequence = engine_next_sequence(lab.engine, node, lab.now);
	return node->sequence;
}

static void test_it_is_the_time(void **state)
{
	(void)state;
	start(5);
	assert_int_equal(next(), LAB_SEQUENCE);
	assert_int_equal(next(), LAB_SEQUENCE + 1);
	lab.now.ns = 7;
	assert_int_equal(next(), LAB_SEQUENCE + 7);
}

/* It runs on as the boot clock does, so that no peer takes it for one of the past. */
static void test_clock_set_back(void **state)
{
	(void)state;
	start(0);
	next();
	lab.engine->wall_offset_ns -= 1000;
	lab.now.ns = 1009;
	assert_int_equal(next(), LAB_SEQUENCE + 1009);
	lab.engine->wall_offset_ns += 1500;
	assert_int_equal(next(), LAB_SEQUENCE + 1509);
	lab.engine->wall_offset_ns -= 1500;
	lab.now.ns = 2000;
	assert_int_equal(next(), LAB_SEQUENCE + 2500);
}

static void test_lead_is_kept(void **state)
{
	(void)state;
	start(LAB_SEQUENCE + 30 * NS_PER_S);
	assert_int_equal(next(), LAB_SEQUENCE + 30 * NS_PER_S + 1);
	lab.now.ns = 30 * NS_PER_S;
	assert_int_equal(next(), LAB_SEQUENCE + 60 * NS_PER_S + 1);
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
}

/* However often: no number comes twice. */
static void test_starts_without_an_end(void **state)
{
	(void)state;
	uint64_t reserved = 0, last = 0;

	for (int run = 0; run < 1000; run++) {
		start(reserved);
		reserved = engine_reserve_sequences(lab.engine, lab.now);
		for (int advert = 0; advert < 5; advert++) {
			uint64_t sequence = next();
			assert_true(sequence > last && sequence < reserved);
			last = sequence;
		}
		lab.now = instant_after(lab.now, 5 * NS_PER_MS);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_it_is_the_time),       TEST(test_clock_set_back),        TEST(test_lead_is_kept),
	        TEST(test_how_much_is_reserved), TEST(test_starts_without_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
