#include "unit.h"

#include "core/replay.h"

#define WALL     (UINT64_C(1700000000) * 1000000000)
#define WINDOW   (60 * NS_PER_S)
#define PATIENCE (3 * NS_PER_S)

static struct replay replay;
static struct address a, b;

static int set_up(void **state)
{
	(void)state;
	memset(&replay, 0, sizeof(replay));
	a = address_of("10.0.0.1");
	b = address_of("10.0.0.2");
	return 0;
}

static enum drop check_as(const struct address *source, uint32_t sender, uint64_t sequence, int64_t now_ns)
{
	const struct replay_limits limits = {
	        .wall_ns = WALL + (uint64_t)now_ns, .window_ns = WINDOW, .patience_ns = PATIENCE};

	return replay_check(&replay, source, sender, sequence, &limits, (instant){now_ns});
}

static enum drop check(const struct address *source, uint64_t sequence, int64_t now_ns)
{
	return check_as(source, 0, sequence, now_ns);
}

static void test_only_newer(void **state)
{
	(void)state;
	assert_int_equal(check(&a, WALL, 1), DROP_NONE);
	assert_int_equal(check(&a, WALL, 2), DROP_REPLAY);
	assert_int_equal(check(&a, WALL - 1, 3), DROP_REPLAY);
	assert_int_equal(replay_find(&replay, &a)->heard.ns, 1);
	assert_int_equal(check(&a, WALL + 1, 4), DROP_NONE);
	assert_int_equal(replay_find(&replay, &a)->heard.ns, 4);
	assert_true(replay_find(&replay, &a)->highest == WALL + 1);
	/* Another source has its own mark. */
	assert_null(replay_find(&replay, &b));
	assert_int_equal(check(&b, WALL - 5, 5), DROP_NONE);
}

static void test_window_at_first_sight(void **state)
{
	(void)state;
	const uint64_t window = (uint64_t)WINDOW;

	assert_int_equal(check(&a, WALL - window - 1, 0), DROP_STALE);
	assert_int_equal(check(&a, 0, 0), DROP_STALE);
	assert_null(replay_find(&replay, &a));
	assert_int_equal(check(&a, WALL - window, 0), DROP_NONE);
	/* Whoever is ahead of our clock is not of the past. */
	assert_int_equal(check(&b, WALL + 1000 * window, 0), DROP_NONE);
	b.bytes[3] = 77;
	assert_int_equal(check(&b, SEQUENCE_MAX + UINT64_C(1), 0), DROP_STALE);
	assert_int_equal(check(&b, UINT64_MAX, 0), DROP_STALE);
}

/* Somebody plays the oldest that is believed, and then the next. */
static void test_patience_is_granted_once(void **state)
{
	(void)state;
	const uint64_t least = WALL - (uint64_t)WINDOW;

	assert_int_equal(check(&a, least, 0), DROP_NONE);
	assert_int_equal(check(&a, least + 1, 2), DROP_STALE);
	assert_int_equal(check(&a, least + 2, 2), DROP_NONE);
	/* One that was not late has its own clock counted. */
	assert_int_equal(check(&b, WALL, 0), DROP_NONE);
	assert_int_equal(check(&b, WALL - 1, 2), DROP_REPLAY);
	assert_true(replay_find(&replay, &b)->lead_ns == (int64_t)WALL);
}

static void test_no_window(void **state)
{
	(void)state;
	const struct replay_limits limits = {.wall_ns = WALL, .patience_ns = PATIENCE};

	assert_int_equal(replay_check(&replay, &a, 0, 1, &limits, (instant){1}), DROP_NONE);
	assert_int_equal(replay_check(&replay, &a, 0, 0, &limits, (instant){3}), DROP_REPLAY);
}

/* The source's clock has gone on as ours has, whatever it shows. */
static void test_a_known_source_is_of_now(void **state)
{
	(void)state;
	const int64_t later = 100 * NS_PER_S, drift = later / 1000;
	const uint64_t day = 86400 * UINT64_C(1000000000);
	const uint64_t sequence = WALL + day + (uint64_t)later;

	assert_int_equal(check(&a, WALL + day, 0), DROP_NONE);
	assert_int_equal(check(&a, sequence - (uint64_t)(PATIENCE + drift) - 1, later), DROP_STALE);
	assert_int_equal(check(&a, sequence - (uint64_t)(PATIENCE + drift), later), DROP_NONE);
	/* That it was accepted late makes nothing else fresh. */
	assert_int_equal(check(&a, sequence - (uint64_t)(PATIENCE + drift) + 1, later + 2), DROP_STALE);
	assert_int_equal(check(&a, sequence, later + 2), DROP_NONE);
}

/* Its clock is set forward, and what it was before is of the past from then on. */
static void test_a_leap(void **state)
{
	(void)state;
	assert_int_equal(check(&a, WALL, 0), DROP_NONE);
	assert_int_equal(check(&a, WALL + 1000 * (uint64_t)NS_PER_S, 1), DROP_NONE);
	assert_true(replay_lead_ns(&replay) == (int64_t)WALL + 1000 * NS_PER_S - 1);
	assert_int_equal(check(&a, WALL + 1001 * (uint64_t)NS_PER_S, 10 * NS_PER_S), DROP_STALE);
}

static void test_lead_of_all(void **state)
{
	(void)state;
	assert_true(replay_lead_ns(&replay) == INT64_MIN);
	assert_int_equal(check(&a, WALL + 50, 10), DROP_NONE);
	assert_int_equal(check(&b, WALL + 30, 10), DROP_NONE);
	assert_true(replay_lead_ns(&replay) == (int64_t)WALL + 40);
}

static void test_the_silent_make_room(void **state)
{
	(void)state;
	struct address source = a;

	for (uint8_t i = 0; i < REPLAY_SOURCES_MAX; i++) {
		source.bytes[3] = i;
		assert_int_equal(check(&source, WALL, 100 + i), DROP_NONE);
	}
	source.bytes[3] = 0;
	assert_int_equal(check(&source, WALL + 1, 200), DROP_NONE);
	source.bytes[3] = REPLAY_SOURCES_MAX;
	assert_int_equal(check(&source, WALL, 201), DROP_NONE);

	/* Number 1 was silent for longest, since 0 was heard again. */
	for (uint8_t i = 0; i <= REPLAY_SOURCES_MAX; i++) {
		source.bytes[3] = i;
		assert_int_equal(replay_find(&replay, &source) == NULL, i == 1);
	}
}

static void restore(uint64_t highest, int64_t heard_ns)
{
	const struct replay_source source = {.address = a,
	                                     .highest = highest,
	                                     .lead_ns = (int64_t)highest - heard_ns,
	                                     .heard = {heard_ns}};

	replay_restore(&replay, &source);
}

static void test_restore(void **state)
{
	(void)state;
	const uint64_t second = 1000000000;

	/* Heard 75 s before the start. */
	restore(WALL, -75 * NS_PER_S);
	assert_int_equal(check(&a, WALL, 2), DROP_REPLAY);
	assert_int_equal(check(&a, WALL + 60 * second, 3), DROP_STALE);
	assert_int_equal(check(&a, WALL + 75 * second, 4), DROP_NONE);
	restore(WALL + second, 5);
	assert_true(replay_find(&replay, &a)->highest == WALL + 75 * second);
	restore(WALL + 76 * second, 6);
	assert_true(replay_find(&replay, &a)->highest == WALL + 76 * second);
}

/* 0.0.0.0 is the source of a host whose parent has no address. */
static void test_unnumbered(void **state)
{
	(void)state;
	struct address none = address_of("0.0.0.0");

	assert_null(replay_find(&replay, &none));
	assert_int_equal(check(&none, WALL, 1), DROP_NONE);
	assert_int_equal(check(&none, WALL, 2), DROP_REPLAY);
}

/* Two hosts without addresses of their own: the slower clock must not silence its owner. */
static void test_senders_of_one_source(void **state)
{
	(void)state;
	assert_int_equal(check_as(&a, 7, WALL + 9, 1), DROP_NONE);
	assert_int_equal(check_as(&a, 8, WALL + 2, 2), DROP_NONE);
	assert_int_equal(check_as(&a, 7, WALL + 9, 3), DROP_REPLAY);
	assert_int_equal(check_as(&a, 8, WALL + 2, 3), DROP_REPLAY);
	assert_int_equal(check_as(&a, 8, WALL + 3, 4), DROP_NONE);
	assert_null(replay_find(&replay, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(test_only_newer, set_up),
	        cmocka_unit_test_setup(test_window_at_first_sight, set_up),
	        cmocka_unit_test_setup(test_patience_is_granted_once, set_up),
	        cmocka_unit_test_setup(test_no_window, set_up),
	        cmocka_unit_test_setup(test_a_known_source_is_of_now, set_up),
	        cmocka_unit_test_setup(test_a_leap, set_up),
	        cmocka_unit_test_setup(test_lead_of_all, set_up),
	        cmocka_unit_test_setup(test_the_silent_make_room, set_up),
	        cmocka_unit_test_setup(test_restore, set_up),
	        cmocka_unit_test_setup(test_unnumbered, set_up),
	        cmocka_unit_test_setup(test_senders_of_one_source, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
