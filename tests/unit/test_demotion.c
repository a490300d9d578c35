#include "unit.h"

#include <stdio.h>

#include "core/demotion.h"

static struct demotions demotions;

static int set_up(void **state)
{
	(void)state;
	memset(&demotions, 0, sizeof(demotions));
	return 0;
}

static bool raise_for_ever(const char *name, int value, int scope)
{
	return demotion_raise(&demotions, name, value, scope, (instant){1}, INSTANT_NEVER);
}

static void test_sum_by_scope(void **state)
{
	(void)state;
	assert_true(raise_for_ever("a", 10, 0));
	assert_true(raise_for_ever("b", 20, 1));
	assert_true(raise_for_ever("c", 5, DEMOTION_EVERYWHERE));
	assert_int_equal(demotion_sum(&demotions, 0), 15);
	assert_int_equal(demotion_sum(&demotions, 1), 25);
	assert_int_equal(demotion_sum(&demotions, 2), 5);
	assert_true(demotion_lift(&demotions, "c"));
	assert_false(demotion_lift(&demotions, "c"));
	assert_int_equal(demotion_sum(&demotions, 2), 0);
}

/* FreeBSD PR 259528: two masters because a sum was cut to a byte. */
static void test_sum_does_not_wrap(void **state)
{
	(void)state;
	raise_for_ever("a", 255, 0);
	assert_int_equal(demotion_sum(&demotions, 0), 255);
	raise_for_ever("b", 1, 0);
	assert_int_equal(demotion_sum(&demotions, 0), 255);
}

static void test_changed(void **state)
{
	(void)state;
	raise_for_ever("a", 10, 0);
	demotion_raise(&demotions, "a", 30, 1, (instant){9}, (instant){99});
	const struct demotion *reason = demotion_find(&demotions, "a");
	assert_int_equal(reason->value, 30);
	assert_int_equal(reason->scope, 1);
	assert_int_equal(reason->since.ns, 1);
	assert_int_equal(reason->until.ns, 99);
	assert_int_equal(demotion_sum(&demotions, 0), 0);
}

static void test_expiry(void **state)
{
	(void)state;
	struct demotion expired;

	assert_true(instant_is_never(demotion_deadline(&demotions)));
	demotion_raise(&demotions, "late", 1, 0, (instant){0}, (instant){200});
	demotion_raise(&demotions, "soon", 2, 0, (instant){0}, (instant){100});
	raise_for_ever("always", 4, 0);
	assert_int_equal(demotion_deadline(&demotions).ns, 100);
	assert_false(demotion_expire(&demotions, (instant){99}, &expired));
	assert_true(demotion_expire(&demotions, (instant){100}, &expired));
	assert_string_equal(expired.name, "soon");
	assert_false(demotion_expire(&demotions, (instant){100}, &expired));
	assert_int_equal(demotion_deadline(&demotions).ns, 200);
	assert_true(demotion_expire(&demotions, (instant){INT64_MAX - 1}, &expired));
	assert_true(instant_is_never(demotion_deadline(&demotions)));
	assert_int_equal(demotion_sum(&demotions, 0), 4);
}

static void test_full(void **state)
{
	(void)state;
	char name[DEMOTION_NAME_MAX];

	for (int i = 0; i < DEMOTIONS_MAX; i++) {
		snprintf(name, sizeof(name), "reason %d", i);
		assert_true(raise_for_ever(name, 1, 0));
	}
	assert_false(raise_for_ever("one more", 1, 0));
	assert_true(raise_for_ever("reason 63", 2, 0));
	assert_int_equal(demotion_sum(&demotions, 0), DEMOTIONS_MAX + 1);
	assert_true(demotion_lift(&demotions, "reason 5"));
	assert_true(raise_for_ever("one more", 1, 0));
}

static void test_names(void **state)
{
	(void)state;
	char name[2 * DEMOTION_NAME_MAX];

	/* The empty name is that of free places. */
	assert_false(raise_for_ever("", 1, 0));
	assert_false(demotion_lift(&demotions, ""));
	assert_null(demotion_find(&demotions, ""));
	/* A longer one is cut, and still the same when it comes again. */
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_true(raise_for_ever(name, 1, 0));
	assert_true(raise_for_ever(name, 2, 0));
	assert_int_equal(demotion_sum(&demotions, 0), 2);
	assert_int_equal(strlen(demotion_find(&demotions, name)->name), DEMOTION_NAME_MAX - 1);
	assert_true(demotion_lift(&demotions, name));
	/* One that begins like another is another. */
	raise_for_ever("link eth1", 1, 0);
	assert_null(demotion_find(&demotions, "link eth10"));
	assert_null(demotion_find(&demotions, "link eth"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(test_sum_by_scope, set_up),
	        cmocka_unit_test_setup(test_sum_does_not_wrap, set_up),
	        cmocka_unit_test_setup(test_changed, set_up),
	        cmocka_unit_test_setup(test_expiry, set_up),
	        cmocka_unit_test_setup(test_full, set_up),
	        cmocka_unit_test_setup(test_names, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
