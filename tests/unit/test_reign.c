/*
 * The first instant of a reign: from becoming master until the first advert.
 */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>

#define SKEW_100_NS 390625000 /* 100/256 s */
#define INTERVAL_NS (NS_PER_S + SKEW_100_NS)
#define DOWN_NS     (3 * NS_PER_S + SKEW_100_NS)
#define TAKING_NS   (50 * NS_PER_MS)

static struct lab lab;

static int set_up(void **state)
{
	(void)state;
	lab_init(&lab);
	lab.takes_long = true;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_close(&lab);
	return 0;
}

static void hear(uint8_t advbase, uint8_t advskew, uint8_t demote)
{
	lab_hear(&lab, (struct said)SAID("10.0.0.2", advbase, advskew, demote));
}

static void take(void)
{
	engine_taken(lab.engine, &lab.engine->groups[0], lab.now);
}

/* A backup that is called by its master at 1 ms. */
static void be_called(uint8_t advbase, uint8_t advskew, uint8_t demote, const char *cause)
{
	char line[64];

	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	lab.now.ns = NS_PER_MS;
	hear(advbase, advskew, demote);
	snprintf(line, sizeof(line), "backup>master %s, take", cause);
	lab_expect(&lab, line);
	assert_true(engine_is_taking(&lab.engine->groups[0]));
}

static void rise_from_silence(void)
{
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	lab_tick_exactly_at(&lab, DOWN_NS);
	lab_expect(&lab, "backup>master silence, take");
}

static void test_speaks_when_taken(void **state)
{
	(void)state;
	be_called(255, 255, 0, "goodbye");
	lab.now.ns += TAKING_NS - 1;
	lab_tick(&lab, lab.now.ns);
	lab_expect(&lab, "");
	assert_int_equal(lab_vhost(&lab)->lease_end.ns, 0);
	take();
	lab_expect(&lab, "advert 1/100/0, serve, announce");
	assert_false(engine_is_taking(&lab.engine->groups[0]));
	take();
	lab_expect(&lab, "");
	/* All that follows counts from the first advert. */
	int64_t t = lab.now.ns;
	static const int64_t after_us[] = {100, 400, 1600, 6400, 25600, 102400, 1100000};
	for (size_t i = 0; i < sizeof(after_us) / sizeof(after_us[0]); i++) {
		lab_tick_exactly_at(&lab, t + after_us[i] * NS_PER_US);
		lab_expect(&lab, "announce");
	}
	lab_tick_exactly_at(&lab, t + INTERVAL_NS);
	lab_expect(&lab, "advert 1/100/0, serve");
}

static void test_never_taken(void **state)
{
	(void)state;
	rise_from_silence();
	lab_tick_exactly_at(&lab, DOWN_NS + TAKING_NS);
	lab_expect(&lab, "advert 1/100/0, serve, announce");
	lab.now.ns += NS_PER_MS;
	take(); /* late */
	lab_expect(&lab, "");
	lab_tick_exactly_at(&lab, DOWN_NS + TAKING_NS + 1100 * NS_PER_MS);
	lab_expect(&lab, "announce");
}

static void test_taken_by_nobody(void **state)
{
	(void)state;
	lab_place(&lab);
	take();
	lab_up(&lab);
	take();
	lab_expect(&lab, "init>backup started");
}

/* Its predecessor serves on, and goes on saying that it goes. */
static void test_hand_over(void **state)
{
	(void)state;
	be_called(255, 255, 0, "goodbye");
	lab.now.ns += NS_PER_MS;
	engine_hand_over(lab.engine, NULL, lab.now);
	lab_expect(&lab, "shut, drop, master>backup handed-over");
	assert_false(lab_vhost(&lab)->successor_heard);
	take();
	lab_expect(&lab, "");
	assert_int_equal(engine_deadline(lab.engine).ns, lab.now.ns - NS_PER_MS + TAKING_NS);
	assert_int_equal(vhost_deadline(lab_vhost(&lab)).ns, lab.now.ns + DOWN_NS);
	lab.now.ns += NS_PER_MS;
	hear(255, 255, 0);
	lab_expect(&lab, "backup>master goodbye, take");
	take();
	lab_expect(&lab, "advert 1/100/0, serve, announce");
}

static void test_two_hand_overs(void **state)
{
	(void)state;
	be_called(255, 255, 0, "goodbye");
	engine_hand_over(lab.engine, NULL, lab.now);
	engine_hand_over(lab.engine, NULL, lab.now);
	lab_expect(&lab, "shut, drop, master>backup handed-over");
}

static void test_hand_over_of_a_preemption(void **state)
{
	(void)state;
	lab.group.preempt = true;
	be_called(1, 200, 0, "preempted-slower");
	engine_hand_over(lab.engine, NULL, lab.now);
	lab_expect(&lab, "shut, drop, master>backup handed-over");
	hear(1, 200, 0);
	lab_expect(&lab, "");
	assert_true(lab_vhost(&lab)->preempt_waived);
}

static void test_gives_way(void **state)
{
	(void)state;
	lab.group.preempt = true;
	be_called(1, 200, 0, "preempted-slower");
	engine_give_way(lab.engine, lab.now);
	lab_expect(&lab, "shut, drop, master>backup handed-over");
	assert_false(lab_vhost(&lab)->preempt_waived);
}

/* Nobody serves: first it must be known that this host does. */
static void test_hand_over_after_silence(void **state)
{
	(void)state;
	rise_from_silence();
	lab.now.ns += NS_PER_MS;
	engine_hand_over(lab.engine, NULL, lab.now);
	lab_expect(&lab, "");
	engine_hand_over(lab.engine, NULL, lab.now);
	lab_expect(&lab, "");
	lab.now.ns += NS_PER_MS;
	int64_t t = lab.now.ns;
	take();
	lab_expect(&lab, "advert 1/100/0, serve, announce");
	lab_tick_exactly_at(&lab, t + 250 * NS_PER_MS);
	lab_expect(&lab, "advert 255/255/0, serve");
	hear(1, 200, 0);
	lab_expect(&lab, "shut, drop, master>backup handed-over");
	assert_true(lab_vhost(&lab)->preempt_waived);
}

/* Also if the first one could not be sent. */
static void test_first_that_left_is_no_goodbye(void **state)
{
	(void)state;
	rise_from_silence();
	engine_hand_over(lab.engine, NULL, lab.now);
	lab.send_error = 100;
	take();
	int64_t t = lab.now.ns;
	lab_expect(&lab, "advert 1/100/0, serve, announce");
	lab.send_error = 0;
	lab_tick_exactly_at(&lab, t + 250 * NS_PER_MS);
	lab_expect(&lab, "advert 1/100/0, serve");
	lab_tick_exactly_at(&lab, t + 500 * NS_PER_MS);
	lab_expect(&lab, "advert 255/255/0, serve");
}

static void test_hand_over_finds_somebody(void **state)
{
	(void)state;
	rise_from_silence();
	engine_hand_over(lab.engine, NULL, lab.now);
	hear(255, 255, 0);
	lab_expect(&lab, "");
	hear(1, 200, 0);
	lab_expect(&lab, "shut, drop, master>backup handed-over");
}

/* Who rose at the same time: if both were told to go, each would leave to the other. */
static void test_hand_over_beside_another(void **state)
{
	(void)state;
	rise_from_silence();
	engine_hand_over(lab.engine, NULL, lab.now);
	int64_t t = lab.now.ns;
	take();
	lab_expect(&lab, "advert 1/100/0, serve, announce");
	hear(1, 101, 0);
	lab_expect(&lab, "advert 255/255/0, serve, announce");
	assert_int_equal(lab.now.ns, t);
	hear(255, 255, 0);
	lab_expect(&lab, "");
	/* Now it can be an answer. */
	hear(1, 101, 0);
	lab_expect(&lab, "shut, drop, master>backup handed-over");
	assert_true(lab_vhost(&lab)->preempt_waived);
}

static void test_hand_over_beside_a_better_one(void **state)
{
	(void)state;
	rise_from_silence();
	engine_hand_over(lab.engine, NULL, lab.now);
	take();
	lab_expect(&lab, "advert 1/100/0, serve, announce");
	hear(1, 99, 0);
	lab_expect(&lab, "shut, drop, master>backup handed-over");
}

/* A goodbye that could not be sent is none. */
static void test_unsaid_goodbye_has_no_answer(void **state)
{
	(void)state;
	rise_from_silence();
	take();
	lab_settle(&lab);
	lab.send_error = 100;
	engine_hand_over(lab.engine, NULL, lab.now);
	lab_expect(&lab, "advert 255/255/0, serve");
	hear(1, 101, 0);
	assert_int_equal(lab_vhost(&lab)->state, VHOST_MASTER);
	lab.send_error = 0;
	lab_expect(&lab, "advert 255/255/0, serve, announce");
	hear(1, 101, 0);
	lab_expect(&lab, "shut, drop, master>backup handed-over");
}

static void test_stop(void **state)
{
	be_called(255, 255, 0, "goodbye");
	engine_stop(lab.engine, NULL, lab.now);
	lab_expect(&lab, "shut, drop, master>init stopped");
	lab_close(&lab);
	set_up(state);
	rise_from_silence();
	engine_hand_over(lab.engine, NULL, lab.now);
	engine_stop(lab.engine, NULL, lab.now);
	lab_expect(&lab, "shut, drop, master>init stopped");
	assert_true(engine_stopped(lab.engine, NULL));
}

static void test_demotion(void **state)
{
	lab.group.preempt = true;
	be_called(1, 200, 0, "preempted-slower");
	engine_demote(lab.engine, "test", 10, lab.now, INSTANT_NEVER);
	lab_expect(&lab, "demoted test 10, shut, drop, master>backup peer-less-demoted");
	lab_close(&lab);
	set_up(state);
	be_called(1, 0, 20, "peer-demoted");
	engine_demote(lab.engine, "test", 10, lab.now, INSTANT_NEVER);
	lab_expect(&lab, "demoted test 10");
	engine_demote(lab.engine, "test", 21, lab.now, INSTANT_NEVER);
	lab_expect(&lab, "demoted test 21, shut, drop, master>backup peer-less-demoted");
}

/* Somebody must serve: it says so with its demotion. */
static void test_demotion_after_a_goodbye(void **state)
{
	(void)state;
	be_called(255, 255, 0, "goodbye");
	engine_demote(lab.engine, "test", 10, lab.now, INSTANT_NEVER);
	lab_expect(&lab, "demoted test 10");
	take();
	lab_expect(&lab, "advert 1/240/10, serve, announce");
}

static void test_link_lost(void **state)
{
	(void)state;
	be_called(255, 255, 0, "goodbye");
	lab_down(&lab);
	lab_expect(&lab, "shut, drop, master>init link-down, demoted link eth0 100");
	take();
	lab_expect(&lab, "");
}

static void test_take_failed(void **state)
{
	(void)state;
	be_called(255, 255, 0, "goodbye");
	engine_take_failed(lab.engine, &lab.engine->groups[0], 1, lab.now);
	lab_expect(&lab, "shut, drop, master>backup take-failed, demoted addresses web 100");
	take();
	lab_expect(&lab, "");
}

static void test_hears(void **state)
{
	(void)state;
	be_called(255, 255, 0, "goodbye");
	hear(255, 255, 0);
	hear(1, 101, 0);
	lab_expect(&lab, "");
	/* Nor is there anything to announce. */
	lab.engine->groups[0].virtual_mac = false;
	engine_mac_changed(lab.engine, &lab.engine->groups[0], lab.now);
	lab_expect(&lab, "take");
	hear(1, 99, 0);
	lab_expect(&lab, "shut, drop, master>backup peer-faster");
	assert_false(lab_vhost(&lab)->successor_heard);
}

/* Told to hand over in the same moment in which it heard a successor, and that this one goes. */
static void test_goodbye_of_the_last_reign_is_not_sent(void **state)
{
	struct advert_out out;

	(void)state;
	rise_from_silence();
	take();
	lab_settle(&lab);
	engine_hand_over(lab.engine, NULL, lab.now);
	hear(1, 0, 0);
	hear(255, 255, 0);
	assert_int_equal(lab_vhost(&lab)->state, VHOST_MASTER);
	assert_false(engine_advert_frame(lab.engine, lab_node(&lab), 0, lab.now, &out));
}

static void test_reload(void **state)
{
	struct engine_settings settings;

	(void)state;
	be_called(255, 255, 0, "goodbye");
	settings = lab.settings;
	void *memory = calloc(1, engine_bytes(&settings));
	struct engine *old = lab.engine;
	assert_non_null(memory);
	lab.engine = engine_place(memory, &settings);
	engine_adopt(lab.engine, old, lab.now);
	lab_expect(&lab, "");
	assert_true(engine_is_taking(&lab.engine->groups[0]));
	lab_tick(&lab, NS_PER_MS + TAKING_NS - 1);
	lab_settle(&lab);
	lab_tick(&lab, NS_PER_MS + TAKING_NS);
	lab_expect(&lab, "advert 1/100/0, serve, announce");
	free(old);
}

/* An advert every four milliseconds, and the kernel takes fifty. */
static void test_fast_mode(void **state)
{
	(void)state;
	lab.group.advbase = 0;
	lab.node.advskew = 1;
	be_called(255, 255, 0, "goodbye");
	engine_demote(lab.engine, "test", 10, lab.now, INSTANT_NEVER);
	lab_settle(&lab);
	lab_tick_exactly_at(&lab, NS_PER_MS + TAKING_NS);
	lab_expect(&lab, "advert 0/240/10, serve, announce");
	assert_true(instant_before(lab.now, engine_deadline(lab.engine)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_speaks_when_taken),
	        TEST(test_never_taken),
	        TEST(test_taken_by_nobody),
	        TEST(test_hand_over),
	        TEST(test_two_hand_overs),
	        TEST(test_hand_over_of_a_preemption),
	        TEST(test_gives_way),
	        TEST(test_hand_over_after_silence),
	        TEST(test_first_that_left_is_no_goodbye),
	        TEST(test_hand_over_finds_somebody),
	        TEST(test_hand_over_beside_another),
	        TEST(test_hand_over_beside_a_better_one),
	        TEST(test_unsaid_goodbye_has_no_answer),
	        TEST(test_stop),
	        TEST(test_demotion),
	        TEST(test_demotion_after_a_goodbye),
	        TEST(test_link_lost),
	        TEST(test_take_failed),
	        TEST(test_hears),
	        TEST(test_goodbye_of_the_last_reign_is_not_sent),
	        TEST(test_reload),
	        TEST(test_fast_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
