#include "lab.h"

#define SKEW_100_NS 390625000 /* 100/256 s */
#define INTERVAL_NS (NS_PER_S + SKEW_100_NS)
#define DOWN_NS     (3 * NS_PER_S + SKEW_100_NS)
#define LEASE_NS    (3 * NS_PER_S - 3 * NS_PER_MS)

#define RISE "take, advert 1/100/0, serve, announce"

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

static enum drop hear(const char *source, uint8_t advbase, uint8_t advskew, uint8_t demote)
{
	return lab_hear(&lab, (struct said)SAID(source, advbase, advskew, demote));
}

static void test_silence(void **state)
{
	(void)state;
	lab_place(&lab);
	assert_true(instant_is_never(engine_deadline(lab.engine)));
	lab.now.ns = 5;
	lab_up(&lab);
	lab_expect(&lab, "init>backup started");
	lab_tick_exactly_at(&lab, 5 + DOWN_NS);
	lab_expect(&lab, "backup>master silence, " RISE);
	assert_int_equal(lab_vhost(&lab)->lease_end.ns, 5 + DOWN_NS + LEASE_NS);
}

static void test_master_repeats(void **state)
{
	(void)state;
	lab_place(&lab);
	int64_t t = lab_become_master(&lab);

	lab_tick_exactly_at(&lab, t + 1100 * NS_PER_MS);
	lab_expect(&lab, "announce");
	lab_tick_exactly_at(&lab, t + INTERVAL_NS);
	lab_expect(&lab, "advert 1/100/0, serve");
	lab_tick_exactly_at(&lab, t + 2200 * NS_PER_MS);
	lab_expect(&lab, "announce");
	lab_tick_exactly_at(&lab, t + 2 * INTERVAL_NS);
	lab_expect(&lab, "advert 1/100/0, serve");
	lab_tick_exactly_at(&lab, t + 3 * INTERVAL_NS);
	lab_expect(&lab, "advert 1/100/0, serve");
	lab_tick_exactly_at(&lab, t + 5000 * NS_PER_MS);
	lab_expect(&lab, "announce");
	for (int64_t i = 4; i < 100; i++) {
		lab_tick_exactly_at(&lab, t + i * INTERVAL_NS);
		lab_expect(&lab, "advert 1/100/0, serve");
	}
}

/* A predecessor that lives may answer behind our first announcement. */
static void test_announces_behind_a_predecessor(void **state)
{
	static const int64_t after_us[] = {100, 400, 1600, 6400, 25600, 102400};

	(void)state;
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	lab_hear(&lab, (struct said)SAID("10.0.0.2", 255, 255, 0));
	lab_expect(&lab, "backup>master goodbye, " RISE);
	for (size_t i = 0; i < sizeof(after_us) / sizeof(after_us[0]); i++) {
		lab_tick_exactly_at(&lab, after_us[i] * NS_PER_US);
		lab_expect(&lab, "announce");
	}
	lab_tick_exactly_at(&lab, 1100 * NS_PER_MS);
	lab_expect(&lab, "announce");
}

/* With the interface's own MAC it is the announcement that turns the clients, and the advert that stops the
 * predecessor. */
static void test_announces_first_without_a_virtual_mac(void **state)
{
	(void)state;
	lab_place(&lab);
	lab.engine->groups[0].virtual_mac = false;
	lab_up(&lab);
	lab_settle(&lab);
	lab_hear(&lab, (struct said)SAID("10.0.0.2", 255, 255, 0));
	lab_expect(&lab, "backup>master goodbye, take, announce, advert 1/100/0, serve");
	lab_hear(&lab, (struct said)SAID("10.0.0.2", 1, 0, 0));
	lab_expect(&lab, "shut, drop, master>backup peer-faster");
	lab_tick_exactly_at(&lab, DOWN_NS);
	lab_expect(&lab, "backup>master silence, " RISE);
}

/* Whoever lost against an equal does so for a whole timer: ucarp sends once more before it yields in its
 * turn. */
static void test_stands_back_after_an_equal(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_become_master(&lab);
	lab_hear(&lab, (struct said)SAID("10.0.0.2", 1, 100, 0));
	lab_expect(&lab, "shut, drop, master>backup peer-equal");
	lab.now.ns += NS_PER_S;
	lab_hear(&lab, (struct said)SAID("10.0.0.2", 1, 100, 0));
	lab_expect(&lab, "");
	lab_tick_exactly_at(&lab, lab.now.ns + DOWN_NS + INTERVAL_NS / 2);
	lab_expect(&lab, "backup>master silence, " RISE);
}

/* A carpd with a larger advbase serves for three times that, so nobody takes over before. */
static void test_outwaits_a_longer_lease(void **state)
{
	(void)state;
	lab.group.seal = SEAL_OFFER;
	lab_place(&lab);
	lab_up(&lab);
	lab_hear(&lab, (struct said)SAID("10.0.0.2", 2, 0, 0));
	lab_settle(&lab);
	assert_int_equal(lab_vhost(&lab)->deadline.ns, DOWN_NS);
	lab_hear(&lab, (struct said)SAID("10.0.0.3", 2, 0, 0, .sealed = true));
	lab_expect(&lab, "");
	lab_tick_exactly_at(&lab, DOWN_NS + 3 * NS_PER_S);
	lab_expect(&lab, "backup>master silence, " RISE);
	/* Unless it is so slow that nobody else would wait for it. */
	lab_hear(&lab, (struct said)SAID("10.0.0.3", 0, 1, 0, .sealed = true));
	lab_expect(&lab, "shut, drop, master>backup peer-faster");
	lab_hear(&lab, (struct said)SAID("10.0.0.3", 3, 100, 0, .sealed = true));
	lab_expect(&lab, "");
	lab_hear(&lab, (struct said)SAID("10.0.0.3", 3, 101, 0, .sealed = true));
	lab_expect(&lab, "backup>master will-time-out, " RISE);
}

/* Each case on a fresh host of advskew 100 that has 10.0.0.1; the peer is 10.0.0.2. */
struct hearing {
	const char *what;
	bool preempt;
	uint8_t own_demotion;
	struct said said;
	const char *done;
};

static const struct hearing backup_hears[] = {
        {"better", true, 0, SAID("10.0.0.2", 1, 0, 0), ""},
        {"equal", true, 0, SAID("10.0.0.2", 1, 100, 0), ""},
        {"worse", false, 0, SAID("10.0.0.2", 1, 101, 0), ""},
        {"worse, preempt", true, 0, SAID("10.0.0.2", 1, 101, 0), "backup>master preempted-slower, " RISE},
        {"worse, both demoted", true, 1, SAID("10.0.0.2", 1, 241, 1),
         "backup>master preempted-slower, "
         "take, advert 1/240/1, serve, announce"},
        {"worse, we demoted", true, 1, SAID("10.0.0.2", 1, 254, 0), ""},
        {"better, but demoted", false, 0, SAID("10.0.0.2", 1, 0, 1), "backup>master peer-demoted, " RISE},
        {"demoted as we are", false, 9, SAID("10.0.0.2", 1, 240, 9), ""},
        {"just in time", false, 0, SAID("10.0.0.2", 3, 100, 0), ""},
        {"too slow", false, 0, SAID("10.0.0.2", 3, 101, 0), "backup>master will-time-out, " RISE},
        {"gone", false, 0, SAID("10.0.0.2", 255, 255, 0), "backup>master goodbye, " RISE},
        {"gone, we demoted", false, 1, SAID("10.0.0.2", 255, 255, 0),
         "backup>master goodbye, "
         "take, advert 1/240/1, serve, announce"},
};

static const struct hearing master_hears[] = {
        {"better", false, 0, SAID("10.0.0.2", 1, 99, 0), "shut, drop, master>backup peer-faster"},
        {"equal", false, 0, SAID("10.0.0.2", 1, 100, 0), "shut, drop, master>backup peer-equal"},
        {"equal, lower", false, 0, SAID("10.0.0.0", 1, 100, 0), "shut, drop, master>backup peer-equal"},
        {"worse", false, 0, SAID("10.0.0.2", 1, 101, 0), "advert 1/100/0, serve, announce"},
        {"better, but demoted", false, 0, SAID("10.0.0.2", 1, 0, 1), "advert 1/100/0, serve, announce"},
        {"worse, we demoted", false, 1, SAID("10.0.0.2", 9, 0, 0),
         "shut, drop, master>backup peer-less-demoted"},
        {"worse, we less demoted", false, 1, SAID("10.0.0.2", 1, 0, 2), "advert 1/240/1, serve, announce"},
};

static void each_hearing(const struct hearing *cases, size_t count, bool master)
{
	for (size_t i = 0; i < count; i++) {
		const struct hearing *c = &cases[i];
		lab_init(&lab);
		lab.group.preempt = c->preempt;
		lab_place(&lab);
		if (master)
			lab_become_master(&lab);
		else
			lab_up(&lab);
		if (c->own_demotion > 0)
			assert_true(
			        engine_demote(lab.engine, "test", c->own_demotion, lab.now, INSTANT_NEVER));
		lab_settle(&lab);
		lab.now.ns += 10;
		assert_int_equal(lab_hear(&lab, c->said), DROP_NONE);
		lab_settle(&lab);
		if (strcmp(lab.text, c->done) != 0)
			fail_msg("%s hears %s: %s, not %s", master ? "master" : "backup", c->what, lab.text,
			         c->done);
		if (lab_vhost(&lab)->state == VHOST_BACKUP) {
			/* The higher of two equals rises half an interval sooner. */
			bool lost = strcmp(c->what, "equal") == 0 && master;
			assert_int_equal(lab_vhost(&lab)->deadline.ns,
			                 lab.now.ns + DOWN_NS + (lost ? INTERVAL_NS / 2 : 0));
		}
		lab_close(&lab);
	}
}

static void test_hearing(void **state)
{
	(void)state;
	each_hearing(backup_hears, sizeof(backup_hears) / sizeof(backup_hears[0]), false);
	each_hearing(master_hears, sizeof(master_hears) / sizeof(master_hears[0]), true);
}

static void test_init_hears_nothing(void **state)
{
	(void)state;
	lab_place(&lab);
	assert_int_equal(hear("10.0.0.2", 1, 200, 0), DROP_INACTIVE);
	lab_expect(&lab, "");
}

/* Between carpd hosts one of two equals stays: the one with the higher address. */
static void test_sealed_equals(void **state)
{
	(void)state;
	lab.group.seal = SEAL_OFFER;
	lab_place(&lab);
	lab_become_master(&lab);
	assert_int_equal(lab_hear(&lab, (struct said)SAID("10.0.0.0", 1, 100, 0, .sealed = true)), DROP_NONE);
	lab_expect(&lab, "advert 1/100/0, serve, announce");
	assert_int_equal(lab_hear(&lab, (struct said)SAID("10.0.0.2", 1, 100, 0, .sealed = true)), DROP_NONE);
	lab_expect(&lab, "shut, drop, master>backup peer-equal");
}

/* IPv6 orders them the other way round, and counts when IPv4 has not been heard for as long as a backup
 * waits. */
static void test_sealed_equals_of_two_families(void **state)
{
	const struct said ipv4 = SAID("10.0.0.0", 1, 100, 0, .sealed = true);
	const struct said ipv6 = SAID("fe80::2", 1, 100, 0, .sealed = true);

	(void)state;
	lab.addresses[1].address = address_of("2001:db8::100");
	lab.group.address_count = 2;
	lab.group.seal = SEAL_OFFER;
	lab_place(&lab);
	int64_t t = lab_become_master(&lab);
	int64_t heard_ns = t;
	/* For much longer than that, as it does not hear us. */
	for (int64_t i = 1; i <= 10; i++) {
		lab_tick(&lab, t + i * NS_PER_S);
		lab_hear(&lab, ipv4);
		lab_hear(&lab, ipv6);
		lab_settle(&lab);
		assert_int_equal(lab_vhost(&lab)->state, VHOST_MASTER);
		heard_ns = lab.now.ns;
	}
	for (int64_t i = 1; i <= 3; i++) {
		lab_tick(&lab, heard_ns + i * NS_PER_S);
		lab_hear(&lab, ipv6);
		assert_int_equal(lab_vhost(&lab)->state, VHOST_MASTER);
		lab_settle(&lab);
	}
	lab_tick(&lab, heard_ns + DOWN_NS);
	lab_hear(&lab, ipv6);
	assert_int_equal(lab_vhost(&lab)->state, VHOST_MASTER);
	lab_settle(&lab);
	lab.now.ns++;
	lab_hear(&lab, ipv6);
	lab_expect(&lab, "shut, drop, master>backup peer-equal");
}

/* Without addresses of their own, the one with the higher id. */
static void test_sealed_equals_unnumbered(void **state)
{
	(void)state;
	lab.group.seal = SEAL_OFFER;
	lab_place(&lab);
	lab_become_master(&lab);
	lab_up_unnumbered(&lab);
	lab.engine->sender = 0x1000;
	assert_int_equal(
	        lab_hear(&lab, (struct said)SAID("10.0.0.100", 1, 100, 0, .sealed = true, .sender = 0xfff)),
	        DROP_NONE);
	lab_expect(&lab, "advert 1/100/0, serve, announce");
	assert_int_equal(
	        lab_hear(&lab, (struct said)SAID("10.0.0.100", 1, 100, 0, .sealed = true, .sender = 0x1001)),
	        DROP_NONE);
	lab_expect(&lab, "shut, drop, master>backup peer-equal");
}

static void test_answers_are_limited(void **state)
{
	(void)state;
	lab_place(&lab);
	int64_t t = lab_become_master(&lab) + NS_PER_MS;

	lab.now.ns = t;
	hear("10.0.0.2", 1, 200, 0);
	lab_expect(&lab, "advert 1/100/0, serve, announce");
	lab.now.ns = t + INTERVAL_NS / 8 - 1;
	engine_tick(lab.engine, lab.now);
	lab_expect(&lab, "announce"); /* behind the rival's own, after 50 ms */
	hear("10.0.0.2", 1, 200, 0);
	lab_expect(&lab, "");
	lab.now.ns++;
	hear("10.0.0.2", 1, 200, 0);
	lab_expect(&lab, "advert 1/100/0, serve, announce");
	lab_tick_exactly_at(&lab, lab.now.ns + 50 * NS_PER_MS);
	lab_expect(&lab, "announce");
}

static void test_rival_goes_on_and_ends(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_become_master(&lab);
	hear("10.0.0.2", 1, 200, 0);
	lab_expect(&lab, "advert 1/100/0, serve, announce");
	lab.now.ns += NS_PER_S;
	hear("10.0.0.2", 1, 200, 0);
	lab_expect(&lab, "rival, advert 1/100/0, serve, announce");
	int64_t heard = lab.now.ns;
	while (engine_deadline(lab.engine).ns < heard + DOWN_NS) {
		lab_tick(&lab, engine_deadline(lab.engine).ns);
		lab_settle(&lab);
		assert_null(strstr(lab.text, "rival"));
	}
	lab_tick(&lab, heard + DOWN_NS);
	lab_expect(&lab, "announce, rival-gone");
}

static void test_preempt_delay(void **state)
{
	(void)state;
	lab.group.preempt = true;
	lab.group.preempt_delay_ns = 10 * NS_PER_S;
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	for (int64_t s = 1; s < 10; s++) {
		lab.now.ns = s * NS_PER_S;
		hear("10.0.0.2", 1, 200, 0);
		lab_expect(&lab, "");
	}
	lab.now.ns = 10 * NS_PER_S - 1;
	hear("10.0.0.2", 1, 200, 0);
	lab_expect(&lab, "");
	lab.now.ns++;
	hear("10.0.0.2", 1, 200, 0);
	lab_expect(&lab, "backup>master preempted-slower, " RISE);
}

static void test_hand_over(void **state)
{
	(void)state;
	lab.group.preempt = true;
	lab_place(&lab);
	int64_t t = lab_become_master(&lab) + NS_PER_MS;

	lab.now.ns = t;
	engine_hand_over(lab.engine, NULL, lab.now);
	lab_expect(&lab, "advert 255/255/0, serve");
	lab_tick_exactly_at(&lab, t + 250 * NS_PER_MS);
	lab_expect(&lab, "advert 255/255/0, serve");
	/* Another who goes is no successor. */
	hear("10.0.0.3", 255, 255, 0);
	lab_expect(&lab, "");
	hear("10.0.0.2", 1, 200, 0);
	lab_expect(&lab, "shut, drop, master>backup handed-over");
	/* Held: else preempt would take it back at once. */
	hear("10.0.0.2", 1, 200, 0);
	lab_expect(&lab, "");
	assert_int_equal(lab_vhost(&lab)->state, VHOST_BACKUP);
	lab_tick_exactly_at(&lab, lab.now.ns + DOWN_NS);
	lab_expect(&lab, "backup>master silence, " RISE);
	assert_false(lab_vhost(&lab)->preempt_waived);
}

static void test_hand_over_kept(void **state)
{
	(void)state;
	lab_place(&lab);
	int64_t t = lab_become_master(&lab);

	engine_hand_over(lab.engine, &lab.engine->groups[0], lab.now);
	lab_expect(&lab, "advert 255/255/0, serve");
	for (int64_t i = 1; i < 8; i++) {
		lab_tick(&lab, t + i * 250 * NS_PER_MS);
		lab_settle(&lab);
		assert_non_null(strstr(lab.text, "advert 255/255/0"));
	}
	lab_tick(&lab, t + 2 * NS_PER_S);
	lab_expect(&lab, "handover-kept, advert 1/100/0, serve");
	assert_int_equal(lab_vhost(&lab)->state, VHOST_MASTER);
}

static void test_stop(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	engine_stop(lab.engine, NULL, lab.now);
	lab_expect(&lab, "backup>init stopped");
	assert_true(engine_stopped(lab.engine, NULL));
	/* What is stopped stays so. */
	lab_up(&lab);
	lab_expect(&lab, "");
}

static void test_stop_with_a_successor(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_become_master(&lab);
	engine_stop(lab.engine, NULL, lab.now);
	lab_expect(&lab, "advert 255/255/0, serve");
	assert_false(engine_stopped(lab.engine, NULL));
	hear("10.0.0.2", 1, 200, 0);
	lab_expect(&lab, "shut, drop, master>backup handed-over, backup>init stopped");
	assert_true(engine_stopped(lab.engine, NULL));
}

/* Frames may be under way to a host that left to a peer, and to no other. */
static void test_passes_on(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_become_master(&lab);
	lab_hear(&lab, (struct said)SAID("10.0.0.2", 1, 0, 0));
	assert_true(lab_vhost(&lab)->successor_heard);
	lab_settle(&lab);
	lab_tick_exactly_at(&lab, lab.now.ns + DOWN_NS);
	lab_settle(&lab);
	lab_tick(&lab, lab_vhost(&lab)->lease_end.ns);
	lab_settle(&lab);
	assert_int_equal(lab_vhost(&lab)->state, VHOST_BACKUP);
	assert_false(lab_vhost(&lab)->successor_heard);
}

static void test_stop_alone(void **state)
{
	(void)state;
	lab_place(&lab);
	int64_t t = lab_become_master(&lab);

	engine_hand_over(lab.engine, NULL, lab.now);
	engine_stop(lab.engine, NULL, lab.now);
	lab_expect(&lab, "advert 255/255/0, serve");
	while (engine_deadline(lab.engine).ns < t + 2 * NS_PER_S) {
		lab_tick(&lab, engine_deadline(lab.engine).ns);
		lab_settle(&lab);
	}
	lab_tick(&lab, t + 2 * NS_PER_S);
	lab_expect(&lab, "shut, drop, master>init stopped");
	assert_true(engine_stopped(lab.engine, NULL));
}

/* A host that is to stop and cannot speak any more must not come back as a backup. */
static void test_stop_without_a_voice(void **state)
{
	(void)state;
	lab.settings.handover_wait_ns = 10 * NS_PER_S;
	lab_place(&lab);
	int64_t t = lab_become_master(&lab);

	engine_stop(lab.engine, NULL, lab.now);
	lab_settle(&lab);
	lab_tick(&lab, t + LEASE_NS);
	lab_expect(&lab, "shut, drop, master>init lease-expired");
	assert_true(engine_stopped(lab.engine, NULL));
}

static void test_goodbye_meets_its_successor(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	hear("10.0.0.2", 1, 0, 0);
	hear("10.0.0.2", 255, 255, 0);
	lab_expect(&lab, "backup>master goodbye, " RISE);
	int64_t t = lab.now.ns;
	/* The copy over the other family asks for nothing. */
	hear("fe80::2", 255, 255, 0);
	lab_expect(&lab, "");
	lab.now.ns = t + INTERVAL_NS / 8 - 1;
	hear("10.0.0.2", 255, 255, 0);
	lab_settle(&lab);
	assert_null(strstr(lab.text, "advert"));
	lab.now.ns++;
	hear("10.0.0.2", 255, 255, 0);
	lab_expect(&lab, "advert 1/100/0, serve");
	lab.now.ns++;
	hear("10.0.0.2", 255, 255, 0);
	lab_expect(&lab, "");
}

/* Two backups: the one that has lost already must not rise at the next copy of the goodbye. */
static void test_goodbye_of_another_than_the_master(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	hear("10.0.0.2", 1, 0, 0);
	hear("10.0.0.3", 1, 50, 0);
	hear("10.0.0.2", 255, 255, 0);
	lab_expect(&lab, "");
	hear("10.0.0.3", 255, 255, 0);
	lab_expect(&lab, "backup>master goodbye, " RISE);
}

static void test_link(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_become_master(&lab);
	lab_down(&lab);
	lab_expect(&lab, "shut, drop, master>init link-down, demoted link eth0 100");
	lab_down(&lab);
	lab_expect(&lab, "");
	assert_int_equal(lab.engine->groups[0].masters, 0);
	lab.now.ns += NS_PER_S;
	lab_up(&lab);
	lab_expect(&lab, "init>backup started, undemoted link eth0");
	lab_tick_exactly_at(&lab, lab.now.ns + DOWN_NS);
	lab_expect(&lab, "backup>master silence, " RISE);
}

/* Paused for longer than its lease, a host is no master whatever comes first. */
static void test_lease(void **state)
{
	(void)state;
	for (int event = 0; event < 5; event++) {
		lab_init(&lab);
		lab_place(&lab);
		int64_t t = lab_become_master(&lab);
		lab.now.ns = t + LEASE_NS;
		if (event == 0)
			engine_tick(lab.engine, lab.now);
		else if (event == 1)
			hear("10.0.0.2", 1, 200, 0);
		else if (event == 2)
			engine_hand_over(lab.engine, NULL, lab.now);
		else if (event == 3)
			engine_expire_leases(lab.engine, lab.now);
		else
			engine_demote(lab.engine, "test", 10, lab.now, INSTANT_NEVER);
		lab_expect(&lab, event == 4 ? "demoted test 10, shut, drop, master>backup lease-expired"
		                            : "shut, drop, master>backup lease-expired");
		assert_int_equal(lab_vhost(&lab)->deadline.ns, lab.now.ns + DOWN_NS);
		lab_close(&lab);
	}
	lab_init(&lab);
	lab_place(&lab);
	int64_t t = lab_become_master(&lab);
	lab_tick(&lab, t + LEASE_NS - 1);
	lab_settle(&lab);
	assert_int_equal(lab_vhost(&lab)->state, VHOST_MASTER);
}

/* Paused between the decision to advertise and the sending. */
static void test_expired_lease_is_not_extended(void **state)
{
	(void)state;
	lab_place(&lab);
	int64_t t = lab_become_master(&lab);

	lab_tick(&lab, t + INTERVAL_NS);
	engine_clear_actions(lab.engine);
	engine_sent(lab.engine, lab_node(&lab), (instant){t + 2 * LEASE_NS}, &(int){0}, 1);
	assert_int_equal(lab_vhost(&lab)->lease_end.ns, t + LEASE_NS);
	assert_true(engine_deadline(lab.engine).ns <= t + LEASE_NS);
	engine_sent(lab.engine, lab_node(&lab), (instant){t + LEASE_NS - 1}, &(int){0}, 1);
	assert_int_equal(lab_vhost(&lab)->lease_end.ns, t + 2 * LEASE_NS - 1);
}

static void test_send_errors(void **state)
{
	(void)state;
	lab.group.advbase = 10; /* the lease lasts for three of them */
	lab.node.advskew = 0;
	lab_place(&lab);
	int64_t t = lab_become_master(&lab);

	lab.send_error = 105;
	lab_tick(&lab, t + 10 * NS_PER_S);
	lab_settle(&lab);
	hear("10.0.0.2", 11, 0, 0);
	lab_settle(&lab);
	assert_int_equal(lab_node(&lab)->counters.send_errors, 2);
	assert_int_equal(lab.engine->groups[0].demotion, 0);
	lab.now.ns += 9 * NS_PER_S;
	hear("10.0.0.2", 11, 0, 0);
	lab_settle(&lab);
	assert_non_null(strstr(lab.text, "demoted sending eth0 100, advert 10/240/100, serve"));
	assert_int_equal(lab.engine->groups[0].demotion, 100);

	hear("10.0.0.2", 11, 0, 0);
	lab_expect(&lab, "shut, drop, master>backup peer-less-demoted");
	/* A backup sends nothing, so it tries. */
	int64_t failed = lab.now.ns;
	lab_tick_exactly_at(&lab, failed + NS_PER_S);
	lab_expect(&lab, "probe");
	engine_probed(lab.engine, lab_node(&lab), &(int){105}, 1, lab.now);
	lab_expect(&lab, "");
	lab_tick_exactly_at(&lab, failed + 2 * NS_PER_S);
	lab_expect(&lab, "probe");
	engine_probed(lab.engine, lab_node(&lab), &(int){0}, 1, lab.now);
	lab_expect(&lab, "can-send, undemoted sending eth0");
	engine_probed(lab.engine, lab_node(&lab), &(int){0}, 1, lab.now);
	lab_expect(&lab, "");
}

static size_t count_probes(struct lab *l)
{
	struct advert_out out;
	size_t copies = 0;

	while (engine_probe_frame(l->engine, lab_node(l), copies, &out)) {
		assert_true(out.peer.family == FAMILY_IPV4);
		assert_int_equal(out.bytes[1], 0);
		copies++;
	}
	return copies;
}

/* A backup learns at its start and later that it could not tell its peers, and is demoted before it matters.
 */
static void test_backup_probes_its_peers(void **state)
{
	(void)state;
	const struct address peers[] = {address_of("10.0.0.2"), address_of("10.0.0.3")};
	const int refused[] = {0, 1}, passed[] = {0, 0};

	lab.group.peers = peers;
	lab.group.peer_count = 2;
	lab.group.advbase = 200;
	lab_place(&lab);
	lab_up(&lab);
	lab_expect(&lab, "init>backup started");
	lab_tick(&lab, lab.now.ns);
	lab_expect(&lab, "probe");
	assert_int_equal(count_probes(&lab), 2);
	engine_probed(lab.engine, lab_node(&lab), passed, 2, lab.now);
	int64_t last = lab.now.ns;
	lab_tick_exactly_at(&lab, last + 30 * NS_PER_S);
	lab_expect(&lab, "probe");
	engine_probed(lab.engine, lab_node(&lab), refused, 2, lab.now);
	lab_expect(&lab, "cannot-send, demoted sending eth0 100");
	assert_false(outlet_is_blocked(&lab_node(&lab)->outlets[0]));
	assert_true(outlet_is_blocked(&lab_node(&lab)->outlets[1]));
	last = lab.now.ns;
	lab_tick_exactly_at(&lab, last + NS_PER_S);
	lab_expect(&lab, "probe");
	engine_probed(lab.engine, lab_node(&lab), passed, 2, lab.now);
	lab_expect(&lab, "can-send, undemoted sending eth0");
}

/* One of two peers is out of reach: whoever reaches both is the better master. */
static void test_one_peer_of_two(void **state)
{
	(void)state;
	const struct address peers[] = {address_of("10.0.0.2"), address_of("10.0.0.3")};
	const int errors[] = {0, 1};

	lab.group.peers = peers;
	lab.group.peer_count = 2;
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	lab_tick(&lab, engine_deadline(lab.engine).ns);
	lab_settle(&lab);
	while (lab_vhost(&lab)->state != VHOST_MASTER) {
		lab_tick(&lab, engine_deadline(lab.engine).ns);
		lab_settle(&lab);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(lab.engine->groups[0].demotion, 0);
		engine_sent(lab.engine, lab_node(&lab), lab.now, errors, 2);
	}
	lab_expect(&lab, "cannot-send, demoted sending eth0 100, advert 1/240/100, serve");
	assert_int_equal(lab_vhost(&lab)->send_failures, 0);
	lab_down(&lab);
	lab_expect(&lab, "shut, drop, master>init link-down, demoted link eth0 100, undemoted sending eth0");
}

/* Whoever cannot send is demoted before the lease ends, so that it does not preempt afterwards. */
static void test_send_is_tried_again(void **state)
{
	(void)state;
	lab.node.advskew = 0;
	lab_place(&lab);
	int64_t t = lab_become_master(&lab);

	lab.send_error = 105;
	for (int64_t i = 0; i < 3; i++) {
		lab_tick(&lab, t + NS_PER_S + i * NS_PER_S / 4);
		lab_settle(&lab);
		assert_non_null(strstr(lab.text, "advert 1/0/0, serve"));
	}
	assert_int_equal(lab.engine->groups[0].demotion, 100);
	lab_tick(&lab, t + LEASE_NS);
	lab_expect(&lab, "shut, drop, master>backup lease-expired, probe");
}

/* Nobody can take over from a host without a link, so it does not wait. */
static void test_link_lost_while_stopping(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_become_master(&lab);
	engine_stop(lab.engine, NULL, lab.now);
	lab_settle(&lab);
	lab_down(&lab);
	lab_expect(&lab, "shut, drop, master>init link-down, demoted link eth0 100");
	lab_up(&lab);
	lab_expect(&lab, "undemoted link eth0");
	assert_true(engine_stopped(lab.engine, NULL));
}

static void test_take_failed(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_become_master(&lab);
	engine_take_failed(lab.engine, &lab.engine->groups[0], 13, lab.now);
	lab_expect(&lab, "shut, drop, goodbye, master>backup take-failed, demoted addresses web 100");
	assert_int_equal(lab_vhost(&lab)->last.cause.error, 13);
	int64_t failed = lab.now.ns;
	hear("10.0.0.2", 1, 200, 50);
	lab_expect(&lab, "");
	while (engine_deadline(lab.engine).ns < failed + 10 * NS_PER_S) {
		lab_tick(&lab, engine_deadline(lab.engine).ns);
		lab_settle(&lab);
		assert_null(strstr(lab.text, "undemoted"));
	}
	lab_tick(&lab, failed + 10 * NS_PER_S);
	lab_settle(&lab);
	assert_non_null(strstr(lab.text, "undemoted addresses web"));
}

static struct advert last_word(void)
{
	struct advert_out out;
	struct packet packet;
	struct advert advert;

	assert_true(engine_advert_frame(lab.engine, lab_node(&lab), 0, lab.now, &out));
	assert_int_equal(packet_parse(out.bytes + ETHERNET_BYTES, out.length - ETHERNET_BYTES, &packet),
	                 DROP_NONE);
	assert_int_equal(advert_decode(packet.payload, packet.payload_bytes, &advert), DROP_NONE);
	return advert;
}

/* Nobody waits for its silence to be noticed; it serves no longer, and the seal says so. */
/* The rest is served, by another host if one can serve all. */
static void test_some_addresses_refused(void **state)
{
	(void)state;
	struct group *group;

	lab_place(&lab);
	lab_become_master(&lab);
	group = &lab.engine->groups[0];
	engine_refuse(lab.engine, group, REFUSED_SOME, lab.now);
	lab_expect(&lab, "demoted addresses web 100, advert 1/240/100, serve");
	engine_refuse(lab.engine, group, REFUSED_SOME, lab.now);
	lab_expect(&lab, "");
	/* It does not end by itself. */
	for (int64_t end = lab.now.ns + 30 * NS_PER_S; lab.now.ns < end; lab_settle(&lab)) {
		lab_tick(&lab, engine_deadline(lab.engine).ns);
		assert_null(strstr(lab.text, "undemoted"));
	}
	assert_int_equal(lab_vhost(&lab)->state, VHOST_MASTER);
	engine_refuse(lab.engine, group, REFUSED_NONE, lab.now);
	lab_expect(&lab, "undemoted addresses web, advert 1/100/0, serve, take, announce");
}

static void test_all_addresses_refused(void **state)
{
	(void)state;
	struct group *group;

	lab_place(&lab);
	group = &lab.engine->groups[0];
	engine_refuse(lab.engine, group, REFUSED_ALL, lab.now);
	lab_expect(&lab, "demoted addresses web 100");
	lab_up(&lab);
	lab_expect(&lab, "");
	assert_int_equal(lab_vhost(&lab)->state, VHOST_INIT);
	engine_refuse(lab.engine, group, REFUSED_NONE, lab.now);
	lab_expect(&lab, "undemoted addresses web, init>backup started");
}

static void test_goodbye_of_a_master_that_cannot_go_on(void **state)
{
	(void)state;
	lab.group.seal = SEAL_OFFER;
	lab_place(&lab);
	lab_become_master(&lab);
	engine_take_failed(lab.engine, &lab.engine->groups[0], 13, lab.now);
	struct advert advert = last_word();
	assert_int_equal(advert.advbase, ADVERT_GONE);
	assert_int_equal(advert.advskew, ADVERT_GONE);
	assert_int_equal(lab_node(&lab)->seal_flags, 0);
	lab_settle(&lab);
	assert_int_equal(lab_vhost(&lab)->lease_end.ns, 0);
}

static void test_no_goodbye_before_the_first_advert(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	lab_tick(&lab, engine_deadline(lab.engine).ns);
	engine_clear_actions(lab.engine);
	engine_take_failed(lab.engine, &lab.engine->groups[0], 13, lab.now);
	lab_expect(&lab, "shut, drop, master>backup take-failed, demoted addresses web 100");
}

/* Others may have taken over: whoever comes that late says nothing. */
static void test_no_goodbye_after_the_lease(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_become_master(&lab);
	lab.now = lab_vhost(&lab)->lease_end;
	engine_take_failed(lab.engine, &lab.engine->groups[0], 13, lab.now);
	lab_expect(&lab, "shut, drop, master>backup lease-expired, demoted addresses web 100");
}

static void test_goodbye_of_a_group_without_its_mac(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_become_master(&lab);
	lab.engine->groups[0].out_of_service = true;
	lab_up(&lab);
	lab_expect(&lab, "shut, drop, goodbye, master>init stopped");
}

static void test_address_put_back(void **state)
{
	(void)state;
	lab_place(&lab);
	struct address ours = address_of("10.0.0.100"), other = address_of("10.0.0.9");

	engine_address_lost(lab.engine, 0, &ours, lab.now);
	lab_expect(&lab, "");
	lab_become_master(&lab);
	engine_address_lost(lab.engine, 0, &other, lab.now);
	lab_expect(&lab, "");
	engine_address_lost(lab.engine, 0, &ours, lab.now);
	lab_expect(&lab, "put-back");
	lab_tick_exactly_at(&lab, lab.now.ns);
	lab_expect(&lab, "take");
}

static void test_families(void **state)
{
	(void)state;
	lab.addresses[1].address = address_of("2001:db8::100");
	lab.group.address_count = 2;
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	hear("10.0.0.2", 1, 0, 0);
	hear("fe80::2", 1, 0, 0);
	lab_expect(&lab, "");
	/* One family is enough to be master; the silent one is told once. */
	for (int64_t s = 1; s <= 3; s++) {
		lab.now.ns = s * NS_PER_S;
		hear("10.0.0.2", 1, 0, 0);
		engine_tick(lab.engine, lab.now);
		lab_expect(&lab, "");
	}
	lab.now.ns = DOWN_NS;
	hear("10.0.0.2", 1, 0, 0);
	lab_expect(&lab, "");
	lab.now.ns++;
	hear("10.0.0.2", 1, 0, 0);
	lab_expect(&lab, "family-silent");
	hear("10.0.0.2", 1, 0, 0);
	lab_expect(&lab, "");
	hear("fe80::2", 1, 0, 0);
	lab_expect(&lab, "family-returned");
	lab_tick_exactly_at(&lab, lab.now.ns + DOWN_NS);
	lab_expect(&lab, "backup>master silence, " RISE);
}

/* Who is master is not known at the start: it may be a BSD, which says so once in up to two seconds. */
static void test_fast_mode_at_its_start(void **state)
{
	(void)state;
	const int64_t unit = NS_PER_S / 256;

	lab.group.advbase = 0;
	lab.node.advskew = 1;
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	assert_int_equal(lab_vhost(&lab)->deadline.ns, 3 * NS_PER_S + unit);
	lab.now.ns = NS_PER_S;
	hear("10.0.0.2", 1, 0, 0);
	lab_expect(&lab, "");
	lab_tick_exactly_at(&lab, NS_PER_S + 3 * NS_PER_S);
	lab_expect(&lab, "backup>master silence, take, advert 0/1/0, serve, announce");
}

static void test_fast_mode_with_nobody_there(void **state)
{
	(void)state;
	lab.group.advbase = 0;
	lab.node.advskew = 1;
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	lab_tick_exactly_at(&lab, 3 * NS_PER_S + NS_PER_S / 256);
	lab_expect(&lab, "backup>master silence, take, advert 0/1/0, serve, announce");
}

/* Three times the slower interval, so that a quick backup lets a slow master speak. */
/* Two masters that do not hear each other: the lease of the slower one goes on. */
static void test_fast_mode_with_two_masters(void **state)
{
	(void)state;
	const int64_t unit = NS_PER_S / 256;

	lab.group.advbase = 0;
	lab.node.advskew = 1;
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	hear("10.0.0.2", 0, 10, 0);
	const int64_t slow = lab_vhost(&lab)->deadline.ns;
	for (int64_t i = 1; i <= 5; i++) {
		lab.now.ns = i * unit;
		hear("10.0.0.3", 0, 1, 0);
		assert_int_equal(lab_vhost(&lab)->deadline.ns, slow);
	}
	/* The slower one itself may become faster. */
	hear("10.0.0.2", 0, 1, 0);
	assert_true(lab_vhost(&lab)->deadline.ns < slow);
}

static void test_fast_mode(void **state)
{
	(void)state;
	const int64_t unit = NS_PER_S / 256;

	lab.group.advbase = 0;
	lab.node.advskew = 1;
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	hear("10.0.0.2", 0, 10, 0);
	lab_expect(&lab, "");
	assert_int_equal(lab_vhost(&lab)->deadline.ns, 3 * (10 * NS_PER_S / 256));
	hear("10.0.0.2", 0, 0, 0);
	assert_int_equal(lab_vhost(&lab)->deadline.ns, 3 * unit);
	lab_tick_exactly_at(&lab, 3 * unit);
	lab_expect(&lab, "backup>master silence, take, advert 0/1/0, serve, announce");
	int64_t lease = 3 * unit - 3 * unit / 1000;
	assert_int_equal(lab_vhost(&lab)->lease_end.ns, 3 * unit + lease);
	lab_tick_exactly_at(&lab, 4 * unit);
	lab_expect(&lab, "advert 0/1/0, serve");
}

/* Three of its adverts, the first of them at once, and as long as the third lasts. */
static void test_demoted_and_nobody_takes_over(void **state)
{
	(void)state;
	const int64_t demoted_ns = NS_PER_S + 240 * NS_PER_S / 256;

	lab_place(&lab);
	lab_become_master(&lab);
	int64_t t = lab.now.ns;
	engine_demote(lab.engine, "upgrade", 30, lab.now, INSTANT_NEVER);
	lab_settle(&lab);
	while (engine_deadline(lab.engine).ns < t + 3 * demoted_ns) {
		lab_tick(&lab, engine_deadline(lab.engine).ns);
		lab_settle(&lab);
		assert_null(strstr(lab.text, "unrelieved"));
	}
	lab_tick(&lab, t + 3 * demoted_ns - 1);
	lab_settle(&lab);
	assert_false(lab_vhost(&lab)->unrelieved);
	lab_tick(&lab, t + 3 * demoted_ns);
	lab_settle(&lab);
	assert_non_null(strstr(lab.text, "unrelieved"));
	assert_true(lab_vhost(&lab)->unrelieved);
	engine_demote(lab.engine, "more", 30, lab.now, INSTANT_NEVER);
	engine_undemote(lab.engine, "upgrade", lab.now);
	assert_true(lab_vhost(&lab)->unrelieved);
	engine_undemote(lab.engine, "more", lab.now);
	lab_settle(&lab);
	assert_false(lab_vhost(&lab)->unrelieved);
}

static void test_demoted_and_relieved(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_become_master(&lab);
	engine_demote(lab.engine, "upgrade", 30, lab.now, INSTANT_NEVER);
	lab_settle(&lab);
	hear("10.0.0.2", 1, 200, 0);
	lab_expect(&lab, "shut, drop, master>backup peer-less-demoted");
	assert_true(instant_is_never(lab_vhost(&lab)->relief_until));
}

/* Says goodbye on top of the demotion; afterwards it is preempt's affair who is master. */
static void test_gives_way_and_comes_back(void **state)
{
	(void)state;
	lab.group.preempt = true;
	lab_place(&lab);
	lab_become_master(&lab);
	engine_give_way(lab.engine, lab.now);
	engine_demote(lab.engine, "maintenance", 254, lab.now, INSTANT_NEVER);
	lab_expect(&lab, "advert 255/255/0, serve, demoted maintenance 254");
	hear("10.0.0.2", 1, 200, 0);
	lab_expect(&lab, "shut, drop, master>backup handed-over");
	lab.now = instant_after(lab.now, NS_PER_S);
	hear("10.0.0.2", 1, 200, 0);
	lab_expect(&lab, "");
	engine_undemote(lab.engine, "maintenance", lab.now);
	lab_expect(&lab, "undemoted maintenance");
	hear("10.0.0.2", 1, 200, 0);
	lab_settle(&lab);
	assert_int_equal(lab_vhost(&lab)->last.cause.kind, CAUSE_PREEMPTED_SLOWER);
}

static void change_parent(const struct parent *parent)
{
	engine_parent_changed(lab.engine, 0, parent, lab.now);
}

/* Neighbours and switches hear at once of the MAC that answers now; with the virtual MAC it is the same one.
 */
static void test_mac_of_the_interface_changes(void **state)
{
	(void)state;
	struct parent parent;

	lab_place(&lab);
	lab.engine->groups[0].virtual_mac = false;
	lab_become_master(&lab);
	parent = lab.engine->parents[0].parent;
	lab.now = instant_after(lab.now, 100 * NS_PER_MS);
	change_parent(&parent);
	lab_expect(&lab, "");
	parent.mac.bytes[5]++;
	change_parent(&parent);
	lab_expect(&lab, "advert 1/100/0, serve, announce");
	int64_t changed = lab.now.ns;
	lab_tick_exactly_at(&lab, changed + 1100 * NS_PER_MS);
	lab_expect(&lab, "announce");
	lab.engine->groups[0].virtual_mac = true;
	parent.mac.bytes[5]++;
	change_parent(&parent);
	lab_expect(&lab, "");
}

static void test_host_becomes_a_router(void **state)
{
	(void)state;
	struct parent parent;

	lab_place(&lab);
	lab_become_master(&lab);
	parent = lab.engine->parents[0].parent;
	parent.router = true;
	change_parent(&parent);
	lab_expect(&lab, "advert 1/100/0, serve, announce");
}

static void test_mac_of_a_backup_changes(void **state)
{
	(void)state;
	struct parent parent;

	lab_place(&lab);
	lab.engine->groups[0].virtual_mac = false;
	lab_up(&lab);
	lab_settle(&lab);
	parent = lab.engine->parents[0].parent;
	parent.mac.bytes[5]++;
	change_parent(&parent);
	lab_expect(&lab, "");
}

static void test_demotion_is_told_at_once(void **state)
{
	(void)state;
	lab_place(&lab);
	lab_become_master(&lab);
	int64_t until = lab.now.ns + 200 * NS_PER_MS;

	engine_demote(lab.engine, "upgrade", 30, lab.now, (instant){until});
	lab_expect(&lab, "demoted upgrade 30, advert 1/240/30, serve");
	engine_demote(lab.engine, "upgrade", 30, lab.now, (instant){until});
	lab_expect(&lab, "");
	lab_tick_exactly_at(&lab, until);
	lab_expect(&lab, "undemoted upgrade, advert 1/100/0, serve");
	assert_false(engine_undemote(lab.engine, "upgrade", lab.now));
}

/* An advskew above 240 is not lowered by a demotion. */
static void test_demoted_terms(void **state)
{
	(void)state;
	lab.node.advskew = 250;
	lab_place(&lab);
	engine_demote(lab.engine, "much", 200, lab.now, INSTANT_NEVER);
	engine_demote(lab.engine, "more", 200, lab.now, INSTANT_NEVER);
	assert_int_equal(vhost_terms(lab_vhost(&lab)).advskew, 250);
	assert_int_equal(vhost_terms(lab_vhost(&lab)).demote, 255);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_silence),
	        TEST(test_master_repeats),
	        TEST(test_announces_behind_a_predecessor),
	        TEST(test_announces_first_without_a_virtual_mac),
	        TEST(test_stands_back_after_an_equal),
	        TEST(test_outwaits_a_longer_lease),
	        TEST(test_hearing),
	        TEST(test_init_hears_nothing),
	        TEST(test_sealed_equals),
	        TEST(test_sealed_equals_of_two_families),
	        TEST(test_sealed_equals_unnumbered),
	        TEST(test_answers_are_limited),
	        TEST(test_rival_goes_on_and_ends),
	        TEST(test_preempt_delay),
	        TEST(test_hand_over),
	        TEST(test_hand_over_kept),
	        TEST(test_stop),
	        TEST(test_stop_with_a_successor),
	        TEST(test_passes_on),
	        TEST(test_stop_alone),
	        TEST(test_stop_without_a_voice),
	        TEST(test_goodbye_meets_its_successor),
	        TEST(test_goodbye_of_another_than_the_master),
	        TEST(test_link),
	        TEST(test_lease),
	        TEST(test_expired_lease_is_not_extended),
	        TEST(test_send_errors),
	        TEST(test_backup_probes_its_peers),
	        TEST(test_one_peer_of_two),
	        TEST(test_send_is_tried_again),
	        TEST(test_link_lost_while_stopping),
	        TEST(test_take_failed),
	        TEST(test_some_addresses_refused),
	        TEST(test_all_addresses_refused),
	        TEST(test_goodbye_of_a_master_that_cannot_go_on),
	        TEST(test_no_goodbye_before_the_first_advert),
	        TEST(test_no_goodbye_after_the_lease),
	        TEST(test_goodbye_of_a_group_without_its_mac),
	        TEST(test_address_put_back),
	        TEST(test_families),
	        TEST(test_fast_mode_at_its_start),
	        TEST(test_fast_mode_with_nobody_there),
	        TEST(test_fast_mode_with_two_masters),
	        TEST(test_fast_mode),
	        TEST(test_demoted_and_nobody_takes_over),
	        TEST(test_demoted_and_relieved),
	        TEST(test_gives_way_and_comes_back),
	        TEST(test_mac_of_the_interface_changes),
	        TEST(test_host_becomes_a_router),
	        TEST(test_mac_of_a_backup_changes),
	        TEST(test_demotion_is_told_at_once),
	        TEST(test_demoted_terms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
