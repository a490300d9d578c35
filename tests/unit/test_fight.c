/*
 * Another program that removes our addresses: how soon it is answered, and what is told.
 */
#include "lab.h"

#include <string.h>

static struct lab lab;
static struct address ours;

static int set_up(void **state)
{
	(void)state;
	lab_init(&lab);
	/* Slow enough that no advert falls into a test of milliseconds. */
	lab.group.advbase = 200;
	ours = address_of("10.0.0.100");
	lab_place(&lab);
	lab_become_master(&lab);
	for (int64_t end = lab.now.ns + 10 * NS_PER_S; lab.now.ns < end;) {
		/* The announcements. */
		lab_tick(&lab, engine_deadline(lab.engine).ns < end ? engine_deadline(lab.engine).ns : end);
		lab_settle(&lab);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_close(&lab);
	return 0;
}

/* Removed now; put back exactly that much later, and not before. */
static void remove_and_wait(int64_t wait_ns, const char *told)
{
	engine_address_lost(lab.engine, 0, &ours, lab.now);
	lab_expect(&lab, told);
	lab_tick_exactly_at(&lab, lab.now.ns + wait_ns);
	lab_expect(&lab, "take");
}

static void backs_off(void **state)
{
	int64_t wait_ns = 10 * NS_PER_MS;

	(void)state;
	remove_and_wait(0, "put-back");
	remove_and_wait(wait_ns, "put-back");
	remove_and_wait(wait_ns *= 2, "fight");
	while (wait_ns * 2 < NS_PER_S)
		remove_and_wait(wait_ns *= 2, "");
	remove_and_wait(NS_PER_S, "");
	remove_and_wait(NS_PER_S, "");
	assert_true(fight_is_on(&lab.engine->groups[0].fight));
}

static void ends_when_it_is_quiet(void **state)
{
	(void)state;
	remove_and_wait(0, "put-back");
	remove_and_wait(10 * NS_PER_MS, "put-back");
	int64_t removed = lab.now.ns;
	remove_and_wait(20 * NS_PER_MS, "fight");
	lab_tick_exactly_at(&lab, removed + 10 * NS_PER_S);
	lab_expect(&lab, "fight-over");
	assert_false(fight_is_on(&lab.engine->groups[0].fight));
	remove_and_wait(0, "put-back");
}

static void two_slips_are_no_fight(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		remove_and_wait(0, "put-back");
		lab.now.ns += 10 * NS_PER_S;
	}
}

static void removals_that_wait_are_one(void **state)
{
	struct action *actions = lab.engine->actions;

	(void)state;
	for (size_t i = 0; i < lab.engine->action_capacity; i++)
		engine_address_lost(lab.engine, 0, &ours, lab.now);
	assert_int_equal(lab.engine->action_count, 1);
	assert_int_equal(actions[0].report.kind, REPORT_ADDRESS_PUT_BACK);
	lab_settle(&lab);
	lab_tick(&lab, lab.now.ns);
	lab_expect(&lab, "take");
}

static void a_backup_puts_nothing_back(void **state)
{
	(void)state;
	engine_address_lost(lab.engine, 0, &ours, lab.now);
	lab_settle(&lab);
	lab_down(&lab);
	lab_settle(&lab);
	lab_tick(&lab, lab.now.ns);
	lab_expect(&lab, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(backs_off, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(ends_when_it_is_quiet, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(two_slips_are_no_fight, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(removals_that_wait_are_one, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(a_backup_puts_nothing_back, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
