/*
 * Reloads: what goes on, what is told, and for how long the old passphrase, keys
 * and addresses are sent and accepted.
 */
#include "lab.h"

#include "core/engine_private.h"

static struct lab old, next;

static int set_up(void **state)
{
	(void)state;
	lab_init(&old);
	lab_init(&next);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_close(&old);
	lab_close(&next);
	return 0;
}

static void adopt(void)
{
	next.now = old.now;
	next.settings.start = old.now;
	lab_place(&next);
	engine_adopt(next.engine, old.engine, next.now);
}

static void other_passphrase(void)
{
	next.group.passphrase = (struct passphrase){"changed", 7};
}

static bool sends_like(struct lab *lab, const struct group_settings *like)
{
	const struct advert *advert = &lab_node(lab)->advert;
	struct digest digest;

	digest_prepare(&digest, &like->passphrase, LAB_VHID, like->addresses, like->address_count,
	               DIGEST_WITHOUT_LINK_LOCAL);
	return digest_verify(&digest, advert->counter, advert->digest);
}

static enum drop hear_like(const struct group_settings *like)
{
	return lab_hear(&next, (struct said)SAID("10.0.0.2", 1, 200, 0, .like = like));
}

static void test_nothing_changed(void **state)
{
	(void)state;
	lab_place(&old);
	int64_t t = lab_become_master(&old);

	adopt();
	lab_expect(&next, "");
	assert_int_equal(lab_vhost(&next)->state, VHOST_MASTER);
	assert_int_equal(lab_vhost(&next)->deadline.ns, t + 1390625000);
	assert_int_equal(next.engine->groups[0].masters, 1);
	assert_ptr_equal(lab_vhost(&next)->group, &next.engine->groups[0]);
	assert_int_equal(next.engine->sender, old.engine->sender);
	assert_false(engine_in_grace(next.engine));
	assert_int_equal(engine_deadline(next.engine).ns, t);
	lab_tick(&next, t);
	lab_expect(&next, "");
}

/* Taken out by one reload and put back by the next, whose peers remember what it said, and it them. */
static void test_group_put_back(void **state)
{
	const uint64_t hour = 3600 * UINT64_C(1000000000);
	struct lab back;

	(void)state;
	lab_init(&back);
	old.group.seal = next.group.seal = back.group.seal = SEAL_OFFER;
	lab_place(&old);
	lab_up(&old);
	lab_hear(&old,
	         (struct said)SAID("10.0.0.2", 1, 0, 0, .sealed = true, .sequence = LAB_SEQUENCE + hour));
	old.now.ns = NS_PER_S;
	uint64_t said = engine_next_sequence(old.engine, lab_node(&old), old.now);
	assert_true(said == LAB_SEQUENCE + hour + NS_PER_S);
	lab_node(&old)->sequence = said;
	next.node.vhid = LAB_VHID + 1;
	adopt();
	assert_int_equal(lab_node(&next)->sequence, 0);
	assert_int_equal(next.engine->departed[0].vhid, LAB_VHID);
	assert_int_equal(next.engine->departed[1].vhid, 0);
	back.now = back.settings.start = next.now;
	lab_place(&back);
	engine_adopt(back.engine, next.engine, back.now);
	assert_true(engine_next_sequence(back.engine, lab_node(&back), back.now) == said + 1);
	lab_up(&back);
	assert_int_equal(lab_hear(&back, (struct said)SAID("10.0.0.2", 1, 0, 0, .sealed = true,
	                                                   .sequence = LAB_SEQUENCE + hour)),
	                 DROP_REPLAY);
	/* It is there again, and the other one is not. */
	assert_int_equal(back.engine->departed[0].vhid, LAB_VHID + 1);
	assert_int_equal(back.engine->departed[1].vhid, 0);
	lab_close(&back);
}

static void test_terms_changed(void **state)
{
	(void)state;
	lab_place(&old);
	lab_become_master(&old);
	next.node.advskew = 50;
	adopt();
	lab_expect(&next, "advert 1/50/0, serve");
	assert_int_equal(lab_vhost(&next)->deadline.ns, old.now.ns + NS_PER_S + 50 * NS_PER_S / 256);
}

static void test_addresses_changed(void **state)
{
	(void)state;
	lab_place(&old);
	lab_become_master(&old);
	next.addresses[1].address = address_of("10.0.0.101");
	next.group.address_count = 2;
	adopt();
	lab_expect(&next, "take, announce");
	assert_true(engine_in_grace(next.engine));
}

static void test_addresses_changed_on_a_backup(void **state)
{
	(void)state;
	lab_place(&old);
	lab_up(&old);
	lab_settle(&old);
	next.addresses[1].address = address_of("10.0.0.101");
	next.group.address_count = 2;
	adopt();
	lab_expect(&next, "");
	assert_int_equal(lab_vhost(&next)->deadline.ns, 3390625000);
	assert_int_equal(hear_like(&old.group), DROP_NONE);
	assert_int_equal(hear_like(&next.group), DROP_NONE);
}

/* The old ones are sent for one grace and accepted for two. */
static void test_grace(void **state)
{
	(void)state;
	lab_place(&old);
	lab_become_master(&old);
	other_passphrase();
	adopt();
	lab_expect(&next, "");
	int64_t t = next.now.ns;

	bool told = false;
	while (!told) {
		lab_tick(&next, engine_deadline(next.engine).ns);
		lab_settle(&next);
		told = strstr(next.text, "credentials-changed") != NULL;
		assert_true(sends_like(&next, next.now.ns < t + 60 * NS_PER_S ? &old.group : &next.group) ||
		            told);
		assert_true(engine_in_grace(next.engine));
	}
	assert_int_equal(next.now.ns, t + 60 * NS_PER_S);
	assert_int_equal(hear_like(&old.group), DROP_NONE);
	while (engine_deadline(next.engine).ns < t + 120 * NS_PER_S) {
		lab_tick(&next, engine_deadline(next.engine).ns);
		lab_settle(&next);
		assert_null(strstr(next.text, "credentials"));
	}
	assert_true(sends_like(&next, &next.group));
	assert_true(engine_in_grace(next.engine));
	next.now.ns = t + 120 * NS_PER_S;
	lab_tick(&next, next.now.ns);
	lab_settle(&next);
	assert_null(strstr(next.text, "credentials"));
	assert_false(engine_in_grace(next.engine));
	assert_int_equal(hear_like(&old.group), DROP_DIGEST);
}

static void test_a_peer_uses_the_new_ones(void **state)
{
	(void)state;
	lab_place(&old);
	lab_become_master(&old);
	other_passphrase();
	adopt();
	assert_int_equal(hear_like(&next.group), DROP_NONE);
	lab_expect(&next, "credentials-changed, advert 1/100/0, serve, announce");
	assert_true(sends_like(&next, &next.group));
	assert_false(engine_in_grace(next.engine));
	assert_int_equal(hear_like(&old.group), DROP_DIGEST);
}

static void test_second_reload_within_the_grace(void **state)
{
	(void)state;
	struct lab third;

	lab_place(&old);
	lab_become_master(&old);
	other_passphrase();
	adopt();
	lab_settle(&next);
	lab_init(&third);
	third.now = next.now;
	third.group.passphrase = (struct passphrase){"third", 5};
	lab_place(&third);
	engine_adopt(third.engine, next.engine, third.now);
	/* Those that the peers are known to have. */
	assert_int_equal(lab_hear(&third, (struct said)SAID("10.0.0.2", 1, 200, 0, .like = &old.group)),
	                 DROP_NONE);
	lab_settle(&third);
	assert_true(sends_like(&third, &old.group));
	assert_int_equal(lab_hear(&third, (struct said)SAID("10.0.0.2", 1, 200, 0, .like = &next.group)),
	                 DROP_DIGEST);
	lab_close(&third);
}

/* Once the second ones are sent, they are what the peers know. */
static void test_second_reload_after_the_grace(void **state)
{
	(void)state;
	struct lab third;

	lab_place(&old);
	lab_become_master(&old);
	other_passphrase();
	adopt();
	for (int64_t end = next.now.ns + 70 * NS_PER_S; next.now.ns < end;) {
		lab_tick(&next, engine_deadline(next.engine).ns);
		lab_settle(&next);
	}
	lab_init(&third);
	third.now = next.now;
	third.group.passphrase = (struct passphrase){"third", 5};
	lab_place(&third);
	engine_adopt(third.engine, next.engine, third.now);
	lab_hear(&third, (struct said)SAID("10.0.0.2", 1, 200, 0, .like = &next.group));
	lab_settle(&third);
	assert_true(sends_like(&third, &next.group));
	lab_close(&third);
}

static void test_seals_in_the_grace(void **state)
{
	(void)state;
	old.group.seal = next.group.seal = SEAL_REQUIRE;
	seal_key_derive(&next.key, 0, (const uint8_t *)"changed", 7);
	other_passphrase();
	lab_place(&old);
	lab_up(&old);
	lab_settle(&old);
	adopt();
	struct said said = SAID("10.0.0.2", 1, 0, 0, .sealed = true, .like = &old.group);
	assert_int_equal(lab_hear(&next, said), DROP_NONE);
	said.like = &next.group;
	assert_int_equal(lab_hear(&next, said), DROP_NONE);
	said.like = &old.group;
	assert_int_equal(lab_hear(&next, said), DROP_DIGEST);
}

/* A configuration without seals before, and so perhaps without a key. */
static void test_seals_begin_in_the_grace(void **state)
{
	(void)state;
	struct advert_out out;

	old.group.seal_keys = NULL;
	old.group.seal_key_count = 0;
	next.group.seal = SEAL_OFFER;
	other_passphrase();
	lab_place(&old);
	lab_become_master(&old);
	adopt();
	lab_tick(&next, next.now.ns + 1390625000);
	assert_true(engine_advert_frame(next.engine, lab_node(&next), 0, next.now, &out));
	lab_settle(&next);
	assert_true(sends_like(&next, &old.group));
}

static struct seal_key numbered_key(uint8_t id)
{
	struct seal_key key;

	seal_key_derive(&key, id, &id, sizeof(id));
	return key;
}

/* Of the key that the next advert is sealed with. */
static uint8_t key_id_sent(struct lab *lab)
{
	const size_t trailer = 14 + 20 + ADVERT_BYTES;
	struct advert_out out;

	lab_tick(lab, engine_deadline(lab->engine).ns);
	assert_true(engine_advert_frame(lab->engine, lab_node(lab), 0, lab->now, &out));
	lab_settle(lab);
	return out.bytes[trailer + 3];
}

static enum drop hear_sealed(const struct seal_key *key)
{
	struct group_settings like = next.group;

	like.seal_keys = key;
	return lab_hear(&next, (struct said)SAID("10.0.0.2", 1, 200, 0, .sealed = true, .like = &like));
}

static void adopt_keys(const struct seal_key *before, size_t before_count, const struct seal_key *after,
                       size_t after_count)
{
	old.group.seal = next.group.seal = SEAL_REQUIRE;
	old.group.seal_keys = before;
	old.group.seal_key_count = before_count;
	next.group.seal_keys = after;
	next.group.seal_key_count = after_count;
	lab_place(&old);
	lab_become_master(&old);
	adopt();
}

/* Each step of carpd.conf(5) leaves the hosts a key that both have, so it is in force at once. */
static void test_keys_rotated(void **state)
{
	(void)state;
	const struct seal_key keys[] = {numbered_key(1), numbered_key(2), numbered_key(1)};
	const struct {
		const struct seal_key *keys;
		size_t count;
	} steps[] = {{keys, 1}, {keys, 2}, {keys + 1, 2}, {keys + 1, 1}};

	for (size_t i = 1; i < sizeof(steps) / sizeof(steps[0]); i++) {
		adopt_keys(steps[i - 1].keys, steps[i - 1].count, steps[i].keys, steps[i].count);
		assert_false(engine_in_grace(next.engine));
		assert_int_equal(hear_sealed(steps[i - 1].keys), DROP_NONE);
		assert_int_equal(key_id_sent(&next), steps[i].keys[0].id);
		tear_down(state);
		set_up(state);
	}
}

/* Peers have the first key only, and say nothing of the new one by using it. */
static void test_keys_added_and_sent_at_once(void **state)
{
	(void)state;
	const struct seal_key keys[] = {numbered_key(2), numbered_key(1)};

	adopt_keys(keys + 1, 1, keys, 2);
	assert_int_equal(key_id_sent(&next), 1);
	assert_int_equal(hear_sealed(&keys[1]), DROP_NONE);
	lab_settle(&next);
	assert_int_equal(key_id_sent(&next), 1);
	assert_int_equal(hear_sealed(&keys[0]), DROP_NONE);
	lab_settle(&next);
	assert_int_equal(key_id_sent(&next), 2);
	assert_false(engine_in_grace(next.engine));
	assert_int_equal(hear_sealed(&keys[1]), DROP_NONE);
}

/* Under the same id, so that there is no step at which a host could have both. */
static void test_key_replaced(void **state)
{
	(void)state;
	const struct seal_key before = numbered_key(1);
	struct seal_key after;

	seal_key_derive(&after, 1, (const uint8_t *)"another", 7);
	adopt_keys(&before, 1, &after, 1);
	assert_int_equal(key_id_sent(&next), 1);
	assert_int_equal(hear_sealed(&before), DROP_NONE);
	assert_true(engine_in_grace(next.engine));
	assert_int_equal(hear_sealed(&after), DROP_NONE);
	assert_false(engine_in_grace(next.engine));
	assert_int_equal(hear_sealed(&before), DROP_SEAL);
}

/* A group on an interface that is new here: its state is not known yet, so it is not down. */
static void test_new_interface(void **state)
{
	(void)state;
	static const char *const names[] = {"eth1", "eth0"};
	static const struct node_settings other_node = {.vhid = 9};
	struct group_settings groups[2];

	lab_place(&old);
	lab_become_master(&old);
	groups[0] = next.group;
	groups[0].nodes = &other_node;
	groups[1] = next.group;
	groups[1].parent = 1;
	next.settings.groups = groups;
	next.settings.group_count = next.settings.node_count = next.settings.parent_count = 2;
	next.settings.parent_names = names;
	adopt();
	lab_expect(&next, "");
	assert_int_equal(next.engine->nodes[1].vhost.state, VHOST_MASTER);
	lab_up(&next);
	lab_expect(&next, "init>backup started");
}

static void test_interface_gone(void **state)
{
	(void)state;
	static const char *const names[] = {"eth1"};

	lab_place(&old);
	lab_up(&old);
	lab_down(&old);
	lab_settle(&old);
	assert_int_equal(old.engine->groups[0].demotion, DEMOTE_LINK_DOWN);
	next.settings.parent_names = names;
	adopt();
	lab_expect(&next, "undemoted link eth0");
	assert_null(demotion_find(&next.engine->demotions, "link eth0"));
	assert_int_equal(next.engine->groups[0].demotion, 0);
}

/* "web" on eth0 and "lan" on eth1, each in a demotion group of its own, unless a test says otherwise. */
static const char *const two_parents[] = {"eth0", "eth1"};
static const struct node_settings lan_node = {.vhid = 9};

static void make_two_groups(struct lab *lab, struct group_settings groups[2])
{
	groups[0] = groups[1] = lab->group;
	groups[1].name = "lan";
	groups[1].parent = 1;
	groups[1].demotion_scope = 1;
	groups[1].nodes = &lan_node;
	lab->settings.groups = groups;
	lab->settings.group_count = lab->settings.node_count = lab->settings.parent_count = 2;
	lab->settings.parent_names = two_parents;
}

static void lose_eth1(struct lab *lab)
{
	lab_place(lab);
	lab_up(lab);
	engine_parent_changed(lab->engine, 1, &(struct parent){0}, lab->now);
	lab_settle(lab);
	assert_int_equal(lab->engine->groups[0].demotion, 0);
	assert_int_equal(lab->engine->groups[1].demotion, DEMOTE_LINK_DOWN);
}

/* What demoted "lan" goes on doing so, though its interface and its demotion group have other numbers. */
static void test_scope_is_another_number(void **state)
{
	(void)state;
	static const char *const names[] = {"eth1"};
	struct group_settings groups[2];

	make_two_groups(&old, groups);
	lose_eth1(&old);
	next.group = groups[1];
	next.group.parent = 0;
	next.group.demotion_scope = 0;
	next.settings.parent_names = names;
	adopt();
	lab_expect(&next, "");
	assert_int_equal(demotion_find(&next.engine->demotions, "link eth1")->scope, 0);
	assert_int_equal(next.engine->groups[0].demotion, DEMOTE_LINK_DOWN);
}

static void test_scope_is_joined(void **state)
{
	(void)state;
	struct group_settings before[2], after[2];

	make_two_groups(&old, before);
	lose_eth1(&old);
	make_two_groups(&next, after);
	after[1].demotion_scope = 0;
	adopt();
	lab_expect(&next, "");
	assert_int_equal(next.engine->groups[0].demotion, DEMOTE_LINK_DOWN);
	assert_int_equal(next.engine->groups[1].demotion, DEMOTE_LINK_DOWN);
}

/* An address that could not be taken: the group's own reason goes with the group. */
static void test_scope_of_a_group_that_goes(void **state)
{
	(void)state;
	struct group_settings before[2], after[2];

	make_two_groups(&old, before);
	lab_place(&old);
	lab_up(&old);
	engine_parent_changed(old.engine, 1, &old.engine->parents[0].parent, old.now);
	engine_take_failed(old.engine, &old.engine->groups[1], 1, old.now);
	lab_settle(&old);
	make_two_groups(&next, after);
	after[0].demotion_scope = 1;
	after[1].demotion_scope = 0;
	adopt();
	assert_int_equal(next.engine->groups[0].demotion, 0);
	assert_int_equal(next.engine->groups[1].demotion, DEMOTE_TAKE_FAILED);
	lab_close(&next);
	lab_init(&next);
	adopt();
	lab_expect(&next, "undemoted addresses lan");
	assert_int_equal(next.engine->groups[0].demotion, 0);
}

static void test_demotions_go_on(void **state)
{
	(void)state;
	lab_place(&old);
	lab_up(&old);
	engine_demote(old.engine, "maintenance", 255, old.now, INSTANT_NEVER);
	lab_settle(&old);
	adopt();
	lab_expect(&next, "");
	assert_int_equal(next.engine->groups[0].demotion, 255);
}

static void test_counterpart(void **state)
{
	(void)state;
	next.node.vhid = 8;
	lab_place(&old);
	lab_place(&next);
	assert_null(engine_counterpart(next.engine, old.engine, &old.engine->groups[0]));
	next.node.vhid = LAB_VHID;
	next.group.name = "renamed";
	assert_ptr_equal(engine_counterpart(next.engine, old.engine, &old.engine->groups[0]),
	                 &next.engine->groups[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_nothing_changed),
	        TEST(test_group_put_back),
	        TEST(test_terms_changed),
	        TEST(test_addresses_changed),
	        TEST(test_addresses_changed_on_a_backup),
	        TEST(test_grace),
	        TEST(test_a_peer_uses_the_new_ones),
	        TEST(test_second_reload_within_the_grace),
	        TEST(test_second_reload_after_the_grace),
	        TEST(test_seals_in_the_grace),
	        TEST(test_seals_begin_in_the_grace),
	        TEST(test_keys_rotated),
	        TEST(test_keys_added_and_sent_at_once),
	        TEST(test_key_replaced),
	        TEST(test_new_interface),
	        TEST(test_interface_gone),
	        TEST(test_scope_is_another_number),
	        TEST(test_scope_is_joined),
	        TEST(test_scope_of_a_group_that_goes),
	        TEST(test_demotions_go_on),
	        TEST(test_counterpart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
