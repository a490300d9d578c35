/*
 * Against a list that is searched from the front.
 */
#include "carpd/net/address_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define PLACES 64
#define STEPS  20000

/* Place n stands for one of 32 addresses with one of two prefix lengths. */
static struct rtnl_address make_address(unsigned place)
{
	return (struct rtnl_address){.link_index = 1,
	                             .address = {.address = {.family = place & 32 ? FAMILY_IPV6 : FAMILY_IPV4,
	                                                     .bytes = {10, 0, 0, (uint8_t)(place & 15)}},
	                                         .prefix_length = place & 16 ? 32 : 24}};
}

static void assert_same(const struct address_list *addresses, const bool there[PLACES])
{
	size_t count = 0;

	for (unsigned place = 0; place < PLACES; place++) {
		struct rtnl_address address = make_address(place);
		const struct rtnl_address *found = address_list_find(addresses, &address.address.address);
		while (found != NULL && found->address.prefix_length != address.address.prefix_length)
			found = address_list_next(addresses, found);
		assert_int_equal(found != NULL, there[place]);
		count += there[place];
	}
	assert_int_equal(addresses->count, count);
}

static void test_random_changes(void **state)
{
	unsigned seed = (unsigned)time(NULL);
	struct address_list addresses = {0};
	bool there[PLACES] = {false};

	(void)state;
	printf("seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < STEPS; i++) {
		unsigned place = (unsigned)rand() % PLACES;
		struct rtnl_address address = make_address(place);
		if (rand() % 2) {
			assert_true(address_list_add(&addresses, &address));
			there[place] = true;
		} else {
			assert_int_equal(address_list_remove(&addresses, &address), there[place]);
			there[place] = false;
		}
		assert_same(&addresses, there);
	}
	address_list_free(&addresses);
	struct rtnl_address any = make_address(0);
	assert_null(address_list_find(&addresses, &any.address.address));
}

static void test_the_latest_counts(void **state)
{
	struct rtnl_address address = make_address(3);
	struct address_list addresses = {0};

	(void)state;
	assert_true(address_list_add(&addresses, &address));
	address.tentative = true;
	assert_true(address_list_add(&addresses, &address));
	assert_int_equal(addresses.count, 1);
	assert_true(address_list_find(&addresses, &address.address.address)->tentative);
	address_list_free(&addresses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_random_changes),
	        cmocka_unit_test(test_the_latest_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
