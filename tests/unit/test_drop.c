#include "unit.h"

#include "core/drop.h"

/* The names are keys of JSON and labels of metrics: one each, and plain. */
static void test_names(void **state)
{
	(void)state;
	for (enum drop i = DROP_NONE; i < DROP_COUNT; i++) {
		assert_non_null(drop_name(i));
		assert_int_equal(strspn(drop_name(i), "abcdefghijklmnopqrstuvwxyz"), strlen(drop_name(i)));
		for (enum drop j = DROP_NONE; j < i; j++)
			assert_string_not_equal(drop_name(i), drop_name(j));
	}
	assert_string_equal(drop_name(DROP_CHECKSUM), "checksum");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
