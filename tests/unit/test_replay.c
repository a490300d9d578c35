#include "unit.h"

#include "core/replay.h"

#define WALL   (UINT64_C(1700000000) * 1000000000)
#define WINDOW (60 * NS_PER_S)

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

static enum drop check(const struct address *source, uint64_t sequence, int64_t now_ns)
{
	return replay_check(&replay, source, 0, sequence, WALL, WINDOW, (instant){now_ns});
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

	assert_int_equal(check(&a, WALL - window - 1, 1), DROP_STALE);
	assert_int_equal(check(&a, WALL + window + 1, 1), DROP_STALE);
	assert_int_equal(check(&a, 0, 1), DROP_STALE);
	assert_int_equal(check(&a, UINT64_MAX, 1), DROP_STALE);
	assert_null(replay_find(&replay, &a));
	assert_int_equal(check(&a, WALL - window, 1), DROP_NONE);
	assert_int_equal(check(&b, WALL + window, 1), DROP_NONE);
	/* A known source is held to its mark only. */
	assert_int_equal(check(&a, WALL + 2 * window, 2), DROP_NONE);
}

static void test_no_window(void **state)
{
	(void)state;
	assert_int_equal(replay_check(&replay, &a, 0, 1, WALL, 0, (instant){1}), DROP_NONE);
	assert_int_equal(replay_check(&replay, &a, 0, UINT64_MAX, WALL, 0, (instant){2}), DROP_NONE);
	assert_int_equal(replay_check(&replay, &a, 0, 0, WALL, 0, (instant){3}), DROP_REPLAY);
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

static void test_restore(void **state)
{
	(void)state;
	replay_restore(&replay, &a, 500, (instant){1});
	assert_int_equal(check(&a, 500, 2), DROP_REPLAY);
	assert_int_equal(check(&a, 501, 3), DROP_NONE);
	replay_restore(&replay, &a, 400, (instant){4});
	assert_true(replay_find(&replay, &a)->highest == 501);
	replay_restore(&replay, &a, 600, (instant){5});
	assert_true(replay_find(&replay, &a)->highest == 600);
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
	assert_int_equal(replay_check(&replay, &a, 7, WALL + 9, WALL, WINDOW, (instant){1}), DROP_NONE);
	assert_int_equal(replay_check(&replay, &a, 8, WALL + 2, WALL, WINDOW, (instant){2}), DROP_NONE);
	assert_int_equal(replay_check(&replay, &a, 7, WALL + 9, WALL, WINDOW, (instant){3}), DROP_REPLAY);
	assert_int_equal(replay_check(&replay, &a, 8, WALL + 2, WALL, WINDOW, (instant){3}), DROP_REPLAY);
	assert_int_equal(replay_check(&replay, &a, 8, WALL + 3, WALL, WINDOW, (instant){4}), DROP_NONE);
	assert_null(replay_find(&replay, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(test_only_newer, set_up),
	        cmocka_unit_test_setup(test_window_at_first_sight, set_up),
	        cmocka_unit_test_setup(test_no_window, set_up),
	        cmocka_unit_test_setup(test_the_silent_make_room, set_up),
	        cmocka_unit_test_setup(test_restore, set_up),
	        cmocka_unit_test_setup(test_unnumbered, set_up),
	        cmocka_unit_test_setup(test_senders_of_one_source, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
