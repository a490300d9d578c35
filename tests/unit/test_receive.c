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

static void start(void)
{
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
}

/* A dropped advert is counted where it belongs and touches no state and no timer. */
static void expect_drop(struct said said, enum drop right)
{
	const struct vhost before = *lab_vhost(&lab);
	uint64_t count = lab_node(&lab)->counters.dropped[right];

	assert_string_equal(drop_name(lab_hear(&lab, said)), drop_name(right));
	assert_int_equal(lab_node(&lab)->counters.dropped[right], count + 1);
	assert_memory_equal(&before, lab_vhost(&lab), sizeof(before));
}

/* One that is suspected may do a little. */
static void expect_suspected(struct said said, enum drop right)
{
	uint64_t count = lab_node(&lab)->counters.dropped[right];

	assert_string_equal(drop_name(lab_hear(&lab, said)), drop_name(right));
	assert_int_equal(lab_node(&lab)->counters.dropped[right], count + 1);
}

#define SUSPECT(right, ...) expect_suspected((struct said)SAID(__VA_ARGS__), right)
#define DROP(right, ...)    expect_drop((struct said)SAID(__VA_ARGS__), right)
#define HEAR(...)           assert_string_equal(drop_name(lab_hear(&lab, (struct said)SAID(__VA_ARGS__))), "none")

/* Changes bytes of a good advert, from the start of the IP header. */
static enum drop hear_damaged(size_t at, uint8_t value, size_t bytes)
{
	uint8_t packet[PACKET_FRAME_MAX] = {0};
	struct said said = SAID("10.0.0.2", 1, 0, 0);
	size_t whole = lab_write(&lab, &said, packet);

	packet[at] = value;
	if (at < 20) {
		packet[10] = packet[11] = 0;
		uint16_t checksum = internet_checksum(packet, 20);
		packet[10] = (uint8_t)(checksum >> 8);
		packet[11] = (uint8_t)checksum;
	}
	return lab_receive(&lab, packet, bytes != 0 ? bytes : whole);
}

static void test_packets(void **state)
{
	(void)state;
	start();
	for (size_t bytes = 1; bytes < 56; bytes++)
		assert_int_equal(hear_damaged(1, 0, bytes), DROP_HEADER);
	assert_int_equal(hear_damaged(6, 0x20, 0), DROP_FRAGMENT);
	assert_int_equal(hear_damaged(8, 254, 0), DROP_TTL);
	assert_int_equal(hear_damaged(3, 20 + 35, 0), DROP_LENGTH);
	assert_int_equal(hear_damaged(3, 20 + 1, 0), DROP_LENGTH);
	assert_int_equal(hear_damaged(20, 0x11, 0), DROP_VERSION);
	assert_int_equal(hear_damaged(22, 77, 0), DROP_CHECKSUM);
	assert_int_equal(hear_damaged(21, 8, 0), DROP_VHID);
	/* Before the virtual host is known, the interface counts. */
	assert_int_equal(lab.engine->parents[0].dropped[DROP_VHID], 1);
	assert_int_equal(lab.engine->parents[0].dropped[DROP_HEADER], 55);
	assert_int_equal(lab_node(&lab)->counters.dropped[DROP_TTL], 1);
	/* From a neighbour who goes on like that. */
	/* All at one moment, so nobody is told. */
	lab_expect(&lab, "");
	assert_int_equal(lab_vhost(&lab)->master.source.family, FAMILY_NONE);
	HEAR("10.0.0.2", 1, 0, 0);
	assert_int_equal(lab_node(&lab)->counters.adverts_received, 1);
}

static void test_vrrp(void **state)
{
	(void)state;
	uint8_t packet[PACKET_FRAME_MAX];
	struct said said = SAID("10.0.0.2", 1, 0, 0);

	start();
	lab_write(&lab, &said, packet);
	packet[3] = 20 + 20; /* version 2 with one address */
	packet[10] = packet[11] = 0;
	uint16_t checksum = internet_checksum(packet, 20);
	packet[10] = (uint8_t)(checksum >> 8);
	packet[11] = (uint8_t)checksum;
	packet[23] = 1;
	assert_int_equal(lab_receive(&lab, packet, 40), DROP_VRRP);
	packet[20] = 0x31;
	assert_int_equal(lab_receive(&lab, packet, 40), DROP_VRRP);
}

static void test_unicast(void **state)
{
	(void)state;
	const struct address peers[] = {address_of("10.0.0.2"), address_of("10.0.0.3")};

	lab.group.peers = peers;
	lab.group.peer_count = 2;
	start();
	DROP(DROP_DESTINATION, "10.0.0.2", 1, 0, 0);
	DROP(DROP_STRANGER, "10.0.0.4", 1, 0, 0, .destination = "10.0.0.1");
	DROP(DROP_TTL, "10.0.0.2", 1, 0, 0, .destination = "10.0.0.1", .ttl = 254);
	HEAR("10.0.0.3", 1, 0, 0, .destination = "10.0.0.1");
	lab.group.ttl_check = false;
	HEAR("10.0.0.3", 1, 0, 0, .destination = "10.0.0.1", .ttl = 254);
}

static void test_multicast_only(void **state)
{
	(void)state;
	start();
	DROP(DROP_DESTINATION, "10.0.0.2", 1, 0, 0, .destination = "10.0.0.1");
}

static void test_conflict_is_told_once(void **state)
{
	(void)state;
	struct group_settings other = lab.group;

	other.passphrase = (struct passphrase){"Secret", 6};
	start();
	for (int64_t s = -3; s <= 0; s++) {
		lab.now.ns = s * NS_PER_S;
		DROP(DROP_DIGEST, "10.0.0.2", 1, 0, 0, .like = &other);
		HEAR("10.0.0.2", 1, 0, 0);
		lab_expect(&lab, "");
		assert_false(lab_node(&lab)->conflict.told);
	}
	lab.now.ns = NS_PER_S;
	DROP(DROP_DIGEST, "10.0.0.2", 1, 0, 0, .like = &other);
	lab_expect(&lab, "conflict");
	lab.now.ns = 2 * NS_PER_S;
	DROP(DROP_DIGEST, "10.0.0.2", 1, 0, 0, .like = &other);
	DROP(DROP_DIGEST, "10.0.0.3", 1, 0, 0, .like = &other);
	lab_expect(&lab, "");
	assert_int_equal(lab_node(&lab)->conflict.count, 6);
	/* A backup that hears its master has what it needs. */
	assert_false(engine_could_hide_a_master(lab_node(&lab)));
	/* Keeps it from rising meanwhile. */
	for (int64_t s = 3; s < 32; s++) {
		lab.now.ns = s * NS_PER_S;
		HEAR("10.0.0.2", 1, 0, 0);
		engine_tick(lab.engine, lab.now);
		lab_expect(&lab, "");
	}
	lab.now.ns = 32 * NS_PER_S - 1;
	HEAR("10.0.0.2", 1, 0, 0);
	assert_int_equal(engine_deadline(lab.engine).ns, 32 * NS_PER_S);
	lab_tick(&lab, 32 * NS_PER_S);
	lab_expect(&lab, "conflict-over");
	/* As many as you like, but not for long enough. */
	for (int i = 0; i < 10; i++)
		DROP(DROP_DIGEST, "10.0.0.2", 1, 0, 0, .like = &other);
	lab_expect(&lab, "");
	assert_false(lab_node(&lab)->conflict.told);
}

/* Long enough, but now and then. */
static void test_conflict_with_pauses(void **state)
{
	(void)state;
	struct group_settings other = lab.group;

	other.passphrase = (struct passphrase){"Secret", 6};
	start();
	for (int64_t s = 0; s < 60; s++) {
		lab.now.ns = s * NS_PER_S;
		HEAR("10.0.0.2", 1, 0, 0);
		if (s % 4 == 0)
			DROP(DROP_DIGEST, "10.0.0.9", 1, 0, 0, .like = &other);
		lab_expect(&lab, "");
	}
	assert_false(lab_node(&lab)->conflict.told);
	/* Unless that is as often as its sender would speak. */
	for (int64_t s = 60; s <= 64; s++) {
		lab.now.ns = s * NS_PER_S;
		HEAR("10.0.0.2", 1, 0, 0);
		if (s % 2 == 0)
			DROP(DROP_DIGEST, "10.0.0.9", 2, 0, 0, .like = &other);
	}
	assert_true(lab_node(&lab)->conflict.told);
}

/* Its sender is started again with other settings, and the last that was heard of the old ones is a goodbye.
 */
static void test_conflict_ends_after_a_goodbye(void **state)
{
	(void)state;
	struct group_settings other = lab.group;

	other.passphrase = (struct passphrase){"Secret", 6};
	start();
	lab_become_master(&lab);
	for (int i = 0; i < 5; i++) {
		lab.now.ns += i > 0 ? NS_PER_S : 0;
		DROP(DROP_DIGEST, "10.0.0.2", 1, 0, 0, .like = &other);
	}
	assert_true(lab_node(&lab)->conflict.told);
	instant last = lab.now;
	DROP(DROP_DIGEST, "10.0.0.2", 255, 255, 0, .like = &other);
	while (lab.now.ns < last.ns + 30 * NS_PER_S) {
		assert_int_equal(lab_node(&lab)->conflict.source.family, FAMILY_IPV4);
		lab_tick(&lab, engine_deadline(lab.engine).ns);
		lab_settle(&lab);
	}
	assert_int_equal(lab_node(&lab)->conflict.source.family, FAMILY_NONE);
}

/* Once or twice is nothing, and is forgotten. */
static void test_outsider_with_a_single_packet(void **state)
{
	(void)state;
	struct group_settings other = lab.group;

	other.passphrase = (struct passphrase){"Secret", 6};
	start();
	lab_become_master(&lab);
	DROP(DROP_DIGEST, "10.0.0.9", 1, 0, 0, .like = &other);
	assert_false(lab_node(&lab)->conflict.told);
	for (int64_t end = lab.now.ns + 31 * NS_PER_S; lab.now.ns < end; lab_settle(&lab)) {
		lab_tick(&lab, engine_deadline(lab.engine).ns);
		assert_null(strstr(lab.text, "conflict"));
	}
	assert_int_equal(lab_node(&lab)->conflict.source.family, FAMILY_NONE);
}

static void expect_unheard(struct said said, enum drop drop, enum conflict_kind kind)
{
	for (int i = 0; i < 5; i++) {
		lab.now.ns += i > 0 ? NS_PER_S : 0;
		assert_false(lab_node(&lab)->conflict.told);
		assert_int_equal(lab_hear(&lab, said), drop);
	}
	assert_true(lab_node(&lab)->conflict.told);
	assert_int_equal(lab_node(&lab)->conflict.kind, kind);
	lab_node(&lab)->conflict = (struct conflict){0};
	lab_settle(&lab);
}

/* Two masters that do not listen to each other by their settings say so; a backup that has its master does
 * not. */
static void test_unheard(void **state)
{
	(void)state;
	const struct address peer = address_of("10.0.0.3");
	struct group_settings other = lab.group;
	struct said routed = SAID("192.0.2.1", 1, 0, 0, .ttl = 60), single = SAID("10.0.0.2", 1, 0, 0);

	other.passphrase = (struct passphrase){"Secret", 6};
	single.destination = "10.0.0.1";
	lab.group.ttl_check = true;
	start();
	lab_become_master(&lab);
	expect_unheard(routed, DROP_TTL, CONFLICT_ROUTED);
	expect_unheard(single, DROP_DESTINATION, CONFLICT_UNICAST);
	expect_unheard((struct said)SAID("10.0.0.1", 1, 0, 0), DROP_OWN, CONFLICT_TWIN);
	/* Whoever is far away and does not know the passphrase can do nothing. */
	routed.like = &other;
	for (int i = 0; i < 2 * CONFLICT_ADVERTS; i++)
		lab_hear(&lab, routed);
	assert_int_equal(lab_node(&lab)->conflict.source.family, FAMILY_NONE);
	lab_close(&lab);

	lab.group.peers = &peer;
	lab.group.peer_count = 1;
	start();
	while (lab_vhost(&lab)->state != VHOST_MASTER)
		lab_tick(&lab, engine_deadline(lab.engine).ns);
	lab_settle(&lab);
	expect_unheard((struct said)SAID("10.0.0.2", 1, 0, 0), DROP_DESTINATION, CONFLICT_MULTICAST);
	expect_unheard(single, DROP_STRANGER, CONFLICT_STRANGER);
	struct said master = SAID("10.0.0.3", 1, 0, 0);
	master.destination = "10.0.0.1";
	assert_int_equal(lab_hear(&lab, master), DROP_NONE);
	for (int i = 0; i < 2 * CONFLICT_ADVERTS; i++)
		lab_hear(&lab, single);
	assert_int_equal(lab_node(&lab)->conflict.source.family, FAMILY_NONE);
}

/* To another interface of this host. */
static void test_stray(void **state)
{
	(void)state;
	struct said said = SAID("10.0.0.2", 1, 0, 0);
	uint8_t packet[PACKET_FRAME_MAX];

	said.destination = "10.1.0.1";
	start();
	lab_become_master(&lab);
	for (int i = 0; i < 5; i++) {
		lab.now.ns += i > 0 ? NS_PER_S : 0;
		engine_hear_stray(lab.engine, packet, lab_write(&lab, &said, packet), lab.now);
	}
	lab_settle(&lab);
	assert_true(lab_node(&lab)->conflict.told);
	assert_int_equal(lab_node(&lab)->conflict.kind, CONFLICT_ELSEWHERE);
	assert_int_equal(lab_vhost(&lab)->state, VHOST_MASTER);
}

static void test_own(void **state)
{
	(void)state;
	lab.group.seal = SEAL_OFFER;
	start();
	/* Recorded or looped back, however old and whatever the seal. */
	DROP(DROP_OWN, "10.0.0.1", 1, 0, 0);
	DROP(DROP_OWN, "10.0.0.1", 1, 100, 0, .sealed = true);
	DROP(DROP_OWN, "fe80::1", 1, 100, 0);
}

static void test_own_unnumbered(void **state)
{
	(void)state;
	struct advert_out out;

	lab.group.seal = SEAL_OFFER;
	lab_place(&lab);
	lab_become_master(&lab);
	lab_up_unnumbered(&lab);
	assert_true(engine_advert_frame(lab.engine, lab_node(&lab), 0, lab.now, &out));
	assert_int_equal(lab_receive(&lab, out.bytes + ETHERNET_BYTES, out.length - ETHERNET_BYTES),
	                 DROP_OWN);
	for (int i = 0; i < 2 * OWN_COUNTERS; i++) {
		lab_tick(&lab, engine_deadline(lab.engine).ns);
		lab_settle(&lab);
	}
	/* Out of the list of counters, but the seal's sender is us. */
	assert_int_equal(lab_receive(&lab, out.bytes + ETHERNET_BYTES, out.length - ETHERNET_BYTES),
	                 DROP_OWN);
	/* Another host without an address, whose clock is behind. */
	HEAR("10.0.0.100", 1, 200, 0, .sealed = true, .sender = 1, .sequence = LAB_SEQUENCE - NS_PER_S);
	HEAR("10.0.0.100", 1, 200, 0, .sealed = true, .sender = 2, .sequence = LAB_SEQUENCE + NS_PER_S);
	HEAR("10.0.0.100", 1, 200, 0, .sealed = true, .sender = 1, .sequence = LAB_SEQUENCE);
	DROP(DROP_REPLAY, "10.0.0.100", 1, 200, 0, .sealed = true, .sender = 1, .sequence = LAB_SEQUENCE);
}

static void test_seal(void **state)
{
	(void)state;
	struct group_settings other = lab.group;
	struct seal_key key, unknown;

	lab.group.seal = SEAL_OFFER;
	seal_key_derive(&key, 0, (const uint8_t *)"wrong", 5);
	seal_key_derive(&unknown, 9, (const uint8_t *)"wrong", 5);
	start();
	other.seal_keys = &key;
	DROP(DROP_SEAL, "10.0.0.2", 1, 0, 0, .sealed = true, .like = &other);
	DROP(DROP_STALE, "10.0.0.2", 1, 0, 0, .sealed = true, .sequence = LAB_SEQUENCE - 64 * NS_PER_S);
	HEAR("10.0.0.2", 1, 0, 0, .sealed = true, .sequence = LAB_SEQUENCE + 5);
	DROP(DROP_REPLAY, "10.0.0.2", 1, 0, 0, .sealed = true, .sequence = LAB_SEQUENCE + 5);
	HEAR("10.0.0.2", 1, 0, 0, .sealed = true, .sequence = LAB_SEQUENCE + 6);
	/* A key that we have not been given yet, or have no longer. */
	other.seal_keys = &unknown;
	DROP(DROP_KEY, "10.0.0.3", 1, 0, 0, .sealed = true, .like = &other);
	lab.group.seal = SEAL_REQUIRE;
	DROP(DROP_KEY, "10.0.0.3", 1, 0, 0, .sealed = true, .like = &other);
	DROP(DROP_UNSEALED, "10.0.0.3", 1, 0, 0);
}

static void test_unsealed_from_one_who_seals(void **state)
{
	(void)state;
	lab.group.seal = SEAL_OFFER;
	start();
	HEAR("10.0.0.2", 1, 0, 0, .sealed = true);
	lab_settle(&lab);
	DROP(DROP_UNSEALED, "10.0.0.2", 1, 0, 0);
	lab_expect(&lab, "unsealed");
	DROP(DROP_UNSEALED, "10.0.0.2", 1, 0, 0);
	lab_expect(&lab, "");
	HEAR("10.0.0.3", 1, 0, 0);
	/* Half of a backup's patience later it has switched its seals off: in time for the timer. */
	lab.now.ns = vhost_master_down_ns(lab_vhost(&lab)) / 2 - 1;
	DROP(DROP_UNSEALED, "10.0.0.2", 1, 0, 0);
	lab.now.ns++;
	HEAR("10.0.0.2", 1, 0, 0);
}

static void test_seals_off_here(void **state)
{
	(void)state;
	lab.group.seal = SEAL_OFFER;
	start();
	HEAR("10.0.0.2", 1, 0, 0, .sealed = true);
	/* As after a reload: who sealed a moment ago still does, and nobody looks at it. */
	lab.group.seal = SEAL_OFF;
	HEAR("10.0.0.2", 1, 0, 0, .sealed = true);
	HEAR("10.0.0.2", 1, 0, 0, .counter = seal_counter(&lab.key, LAB_VHID, 77), .sealed = true);
	HEAR("10.0.0.2", 1, 0, 0);
}

/* The seal cut off a recorded advert, and its source changed. */
static void test_stripped(void **state)
{
	(void)state;
	struct lab sender;
	struct advert_out out;
	uint8_t *ip = out.bytes + ETHERNET_BYTES;

	lab.group.seal = SEAL_OFFER;
	start();
	lab_init(&sender);
	sender.group.seal = SEAL_OFFER;
	lab_place(&sender);
	lab_become_master(&sender);
	assert_true(engine_advert_frame(sender.engine, lab_node(&sender), 0, sender.now, &out));
	assert_int_equal(out.length, ETHERNET_BYTES + 20 + SEALED_BYTES);
	ip[3] = 20 + ADVERT_BYTES;
	ip[15] = 9; /* 10.0.0.9 */
	ip[10] = ip[11] = 0;
	uint16_t checksum = internet_checksum(ip, 20);
	ip[10] = (uint8_t)(checksum >> 8);
	ip[11] = (uint8_t)checksum;
	assert_int_equal(lab_receive(&lab, ip, 20 + ADVERT_BYTES), DROP_UNSEALED);
	/* A BSD that counts on from it is heard. */
	HEAR("10.0.0.9", 1, 0, 0, .counter = lab_node(&sender)->advert.counter + 1);
	/* The same with the key's id made unknown. */
	ip[3] = 20 + SEALED_BYTES;
	ip[10] = ip[11] = 0;
	checksum = internet_checksum(ip, 20);
	ip[10] = (uint8_t)(checksum >> 8);
	ip[11] = (uint8_t)checksum;
	ip[20 + ADVERT_BYTES + 3] = 99;
	ip[20 + ADVERT_BYTES + 32] = ip[20 + ADVERT_BYTES + 33] = 0;
	checksum = internet_checksum(ip + 20 + ADVERT_BYTES, SEAL_BYTES);
	ip[20 + ADVERT_BYTES + 32] = (uint8_t)(checksum >> 8);
	ip[20 + ADVERT_BYTES + 33] = (uint8_t)checksum;
	assert_int_equal(lab_receive(&lab, ip, 20 + SEALED_BYTES), DROP_KEY);
	lab_close(&sender);
}

static void test_sealed_counters_are_random(void **state)
{
	(void)state;
	uint64_t last = 0;

	lab.group.seal = SEAL_OFFER;
	lab_place(&lab);
	lab_become_master(&lab);
	for (int i = 0; i < 20; i++) {
		uint64_t counter = lab_node(&lab)->advert.counter;
		assert_true(seal_counter_is_marked(&lab.key, LAB_VHID, counter));
		assert_true(counter != last + 1);
		last = counter;
		HEAR("10.0.0.2", 1, 200, 0, .sealed = true);
		lab_tick(&lab, engine_deadline(lab.engine).ns);
		lab_settle(&lab);
	}
}

/* Never counted on from what was heard: both sides of a split would count alike. */
static void test_plain_counters(void **state)
{
	(void)state;
	lab_place(&lab);
	int64_t t = lab_become_master(&lab);
	uint64_t first = lab_node(&lab)->advert.counter;

	lab_tick(&lab, t + 1390625000);
	lab_settle(&lab);
	assert_true(lab_node(&lab)->advert.counter != first + 1);
	HEAR("10.0.0.2", 1, 200, 0, .counter = 4711);
	lab_settle(&lab);
	lab_tick(&lab, t + 3 * 1390625000LL);
	lab_settle(&lab);
	assert_true(lab_node(&lab)->advert.counter != 4711);
	assert_true(lab_node(&lab)->advert.counter != 4712);
}

/* The counter moves, then one comes again. */
static void test_forged(void **state)
{
	(void)state;
	start();
	for (uint64_t i = 0; i < 5; i++)
		HEAR("10.0.0.2", 1, 10, 0, .counter = 500 + i);
	lab_settle(&lab);
	DROP(DROP_FORGED, "10.0.0.2", 1, 0, 0, .counter = 504);
	lab_expect(&lab, "forged");
	DROP(DROP_REPLAY, "10.0.0.2", 1, 10, 0, .counter = 504);
	DROP(DROP_FORGED, "10.0.0.9", 1, 10, 0, .counter = 503);
	DROP(DROP_FORGED, "10.0.0.2", 255, 255, 0, .counter = 503);
	lab_expect(&lab, "");
	assert_int_equal(lab_node(&lab)->suspicion.count, 4);
	HEAR("10.0.0.2", 1, 10, 0, .counter = 505);
}

static void count_up(uint64_t from)
{
	for (uint64_t i = 0; i < 5; i++)
		HEAR("10.0.0.2", 1, 0, 0, .counter = from + i);
	lab_settle(&lab);
}

/* An honest master that was set back: nobody rises while it is heard, and nothing else comes of it. */
static void test_suspected_master_is_heard(void **state)
{
	(void)state;
	start();
	count_up(500);
	const struct terms known = lab_vhost(&lab)->master.terms;
	int64_t from = lab.now.ns;
	for (int64_t s = 1; s < 60; s++) {
		lab.now.ns = from + s * NS_PER_S;
		engine_tick(lab.engine, lab.now);
		/* What would call for a takeover, if it were believed: a demotion. */
		SUSPECT(s % 2 ? DROP_REPLAY : DROP_FORGED, "10.0.0.2", 1, 0, s % 2 ? 0 : 9, .counter = 502);
		lab_expect(&lab, s == 1 ? "repeated" : s == 4 ? "doubtful" : "");
		assert_int_equal(lab_vhost(&lab)->state, VHOST_BACKUP);
		assert_int_equal(lab_vhost(&lab)->deadline.ns, lab.now.ns + 3390625000);
	}
	assert_memory_equal(&lab_vhost(&lab)->master.terms, &known, sizeof(known));
	/* Nor a goodbye, which keeps nobody waiting either. */
	instant deadline = lab_vhost(&lab)->deadline;
	lab.now.ns += NS_PER_S;
	DROP(DROP_FORGED, "10.0.0.2", 255, 255, 0, .counter = 502);
	assert_int_equal(lab_vhost(&lab)->deadline.ns, deadline.ns);
	HEAR("10.0.0.2", 1, 0, 0, .counter = 505);
	lab_expect(&lab, "doubt-over");
	lab_tick_exactly_at(&lab, lab.now.ns + 3390625000);
	assert_int_equal(lab_vhost(&lab)->state, VHOST_MASTER);
}

/* It may be dead: our master stays, and answers, so that an honest one counts on from there. */
static void test_suspected_rival_is_answered(void **state)
{
	(void)state;
	start();
	count_up(500);
	lab_tick(&lab, lab.now.ns + 3390625000);
	lab_settle(&lab);
	assert_int_equal(lab_vhost(&lab)->state, VHOST_MASTER);
	lab.now.ns += NS_PER_S;
	SUSPECT(DROP_REPLAY, "10.0.0.2", 1, 0, 0, .counter = 504);
	lab_expect(&lab, "repeated, advert 1/100/0, serve");
	/* No more often than any rival. */
	DROP(DROP_REPLAY, "10.0.0.2", 1, 0, 0, .counter = 503);
	DROP(DROP_FORGED, "10.0.0.2", 1, 50, 0, .counter = 503);
	DROP(DROP_FORGED, "10.0.0.2", 255, 255, 0, .counter = 503);
	lab_expect(&lab, "");
	assert_int_equal(lab_vhost(&lab)->state, VHOST_MASTER);
	HEAR("10.0.0.2", 1, 0, 0, .counter = 900);
	assert_int_equal(lab_vhost(&lab)->state, VHOST_BACKUP);
}

/* A hand-over does not end with a successor that may be dead. */
static void test_suspected_successor(void **state)
{
	(void)state;
	start();
	count_up(500);
	lab_tick(&lab, lab.now.ns + 3390625000);
	lab_settle(&lab);
	engine_hand_over(lab.engine, NULL, lab.now);
	DROP(DROP_REPLAY, "10.0.0.2", 1, 0, 0, .counter = 504);
	assert_int_equal(lab_vhost(&lab)->state, VHOST_MASTER);
	assert_true(lab_vhost(&lab)->handover.active);
}

/* A wall clock set right after the start must not make us a stranger to newcomers. */
static void test_sequence(void **state)
{
	(void)state;
	struct advert_out out;
	struct seal seal, later;
	const size_t at = ETHERNET_BYTES + 20;
	struct address source = address_of("10.0.0.1");

	lab.group.seal = SEAL_OFFER;
	lab_place(&lab);
	lab_become_master(&lab);
	engine_advert_frame(lab.engine, lab_node(&lab), 0, lab.now, &out);
	assert_int_equal(seal_verify(&lab.key, 1, &source, out.bytes + at, out.length - at, &seal),
	                 SEAL_VALID);
	assert_int_equal(seal.sequence, LAB_SEQUENCE + (uint64_t)lab.now.ns);
	lab.engine->wall_offset_ns += 1000 * NS_PER_S;
	engine_advert_frame(lab.engine, lab_node(&lab), 0, lab.now, &out);
	seal_verify(&lab.key, 1, &source, out.bytes + at, out.length - at, &later);
	assert_int_equal(later.sequence, seal.sequence + 1000 * (uint64_t)NS_PER_S);
	lab.engine->wall_offset_ns -= 2000 * NS_PER_S;
	engine_advert_frame(lab.engine, lab_node(&lab), 0, lab.now, &out);
	seal_verify(&lab.key, 1, &source, out.bytes + at, out.length - at, &seal);
	assert_int_equal(seal.sequence, later.sequence + 1);
	lab.now = instant_after(lab.now, 5);
	engine_advert_frame(lab.engine, lab_node(&lab), 0, lab.now, &out);
	seal_verify(&lab.key, 1, &source, out.bytes + at, out.length - at, &seal);
	assert_int_equal(seal.sequence, later.sequence + 5);
}

/* All copies of an advert are one: whoever is played another's has had it already. */
static void test_copies_have_one_sequence(void **state)
{
	(void)state;
	const struct address peers[] = {address_of("10.0.0.2"), address_of("10.0.0.3")};
	const struct address source = address_of("10.0.0.1");
	struct advert_out out;
	struct seal first, second;

	lab.group.seal = SEAL_OFFER;
	lab.group.peers = peers;
	lab.group.peer_count = 2;
	start();
	while (!vhost_speaks(lab_vhost(&lab)))
		lab_tick(&lab, engine_deadline(lab.engine).ns);
	assert_true(engine_advert_frame(lab.engine, lab_node(&lab), 0, lab.now, &out));
	assert_int_equal(seal_verify(&lab.key, 1, &source, out.bytes, out.length, &first), SEAL_VALID);
	assert_true(engine_advert_frame(lab.engine, lab_node(&lab), 1, lab.now, &out));
	assert_int_equal(seal_verify(&lab.key, 1, &source, out.bytes, out.length, &second), SEAL_VALID);
	assert_true(first.sequence == second.sequence);
}

/* A paused host is behind what its peers expect of it; theirs tells it how far. */
static void test_a_peer_sets_us_forward(void **state)
{
	(void)state;
	const uint64_t hour = 3600 * UINT64_C(1000000000);

	lab.group.seal = SEAL_OFFER;
	start();
	HEAR("10.0.0.2", 1, 0, 0, .sealed = true, .sequence = LAB_SEQUENCE + hour);
	lab.now = instant_after(lab.now, 7);
	assert_true(engine_next_sequence(lab.engine, lab_node(&lab), lab.now) == LAB_SEQUENCE + hour + 7);
	/* In its group only: another one's peers cannot. */
	assert_true(engine_sequence_clock(lab.engine, lab.now) == LAB_SEQUENCE + 7);
}

/* What we missed is somebody's stock. */
static void test_what_was_missed_is_old(void **state)
{
	(void)state;
	lab.group.seal = SEAL_REQUIRE;
	start();
	HEAR("10.0.0.2", 1, 0, 0, .sealed = true, .sequence = LAB_SEQUENCE);
	int64_t patience_ns = vhost_master_down_ns(lab_vhost(&lab));
	lab.now.ns = 75 * NS_PER_S;
	uint64_t now = LAB_SEQUENCE + (uint64_t)lab.now.ns, drift = (uint64_t)lab.now.ns / 1000;
	DROP(DROP_STALE, "10.0.0.2", 1, 0, 0, .sealed = true, .sequence = now - 10 * NS_PER_S);
	DROP(DROP_STALE, "10.0.0.2", 255, 255, 0, .sealed = true,
	     .sequence = now - (uint64_t)patience_ns - drift - 1);
	HEAR("10.0.0.2", 1, 0, 0, .sealed = true, .sequence = now - (uint64_t)patience_ns - drift);
}

/* Drawn at each start, so an old one is as much ours as the one of now. */
static void test_own_former_senders(void **state)
{
	(void)state;
	lab.group.seal = SEAL_REQUIRE;
	lab_place(&lab);
	lab.engine->former_senders[0] = 77;
	lab_up_unnumbered(&lab);
	lab_settle(&lab);
	DROP(DROP_OWN, "10.0.0.100", 1, 0, 0, .sealed = true, .sender = 77);
	HEAR("10.0.0.100", 1, 0, 0, .sealed = true, .sender = 78);
}

/* The key is gone, the mark of the passphrase is not. */
static void test_keys_that_are_gone(void **state)
{
	(void)state;
	struct seal_key gone, present;

	seal_key_derive(&gone, 1, (const uint8_t *)"1", 1);
	seal_key_derive(&present, 2, (const uint8_t *)"2", 1);
	struct group_settings then = lab.group;
	then.seal_keys = &gone;
	lab.group.seal = SEAL_OFFER;
	lab.group.seal_keys = &present;
	start();
	uint64_t counter = seal_counter(&lab.group.mark_key, LAB_VHID, 77);
	DROP(DROP_KEY, "10.0.0.2", 1, 0, 0, .sealed = true, .like = &then, .counter = counter);
	DROP(DROP_KEY, "10.0.0.77", 1, 0, 0, .sealed = true, .like = &then, .counter = counter);
	DROP(DROP_UNSEALED, "10.0.0.77", 1, 0, 0, .counter = counter);
}

static void test_backups_send_nothing(void **state)
{
	(void)state;
	struct advert_out out;

	start();
	assert_false(engine_advert_frame(lab.engine, lab_node(&lab), 0, lab.now, &out));
}

static void expect_conflict(struct said said, enum drop drop, enum conflict_kind kind)
{
	for (int i = 0; i < 5; i++) {
		lab_expect(&lab, "");
		lab.now.ns += i > 0 ? NS_PER_S : 0;
		assert_int_equal(lab_hear(&lab, said), drop);
	}
	lab_expect(&lab, "conflict");
	assert_int_equal(lab_node(&lab)->conflict.kind, kind);
	lab_hear(&lab, said);
	lab_expect(&lab, "");
	lab_node(&lab)->conflict.source.family = FAMILY_NONE;
}

/* Hosts that do not hear each other for their seals are told so as for their digests. */
static void test_seal_conflicts(void **state)
{
	(void)state;
	struct seal_key other, unknown;
	struct group_settings peer = lab.group;

	seal_key_derive(&other, 0, (const uint8_t *)"Secret", 6);
	seal_key_derive(&unknown, 7, (const uint8_t *)"secret", 6);
	lab.group.seal = SEAL_REQUIRE;
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	peer.seal_keys = &other;
	expect_conflict((struct said)SAID("10.0.0.2", 1, 0, 0, .sealed = true, .like = &peer), DROP_SEAL,
	                CONFLICT_SEAL);
	peer.seal_keys = &unknown;
	expect_conflict((struct said)SAID("10.0.0.2", 1, 0, 0, .sealed = true, .like = &peer), DROP_KEY,
	                CONFLICT_KEY);
	expect_conflict((struct said)SAID("10.0.0.2", 1, 0, 0), DROP_UNSEALED, CONFLICT_UNSEALED);
	expect_conflict((struct said)SAID("10.0.0.2", 1, 0, 0, .sealed = true,
	                                  .sequence = LAB_SEQUENCE - UINT64_C(64000000000)),
	                DROP_STALE, CONFLICT_TIME);
	assert_int_equal(lab_node(&lab)->conflict.behind_ns, 64 * NS_PER_S + lab.now.ns);
	/* What somebody has cut a seal off is no disagreement. */
	lab_hear(&lab,
	         (struct said)SAID("10.0.0.2", 1, 0, 0, .counter = seal_counter(&lab.key, LAB_VHID, 1)));
	lab_expect(&lab, "unsealed");
}

/* Both forms are accepted; who uses the one that we do not send may be deaf to ours. */
static void test_digest_of_the_other_form(void **state)
{
	(void)state;
	lab.addresses[1].address = address_of("fe80::100");
	lab.group.address_count = 2;
	lab.group.digest_form = DIGEST_WITH_LINK_LOCAL;
	lab_place(&lab);
	lab_up(&lab);
	lab_settle(&lab);
	/* The lab's peers leave them out. */
	assert_int_equal(lab_hear(&lab, (struct said)SAID("10.0.0.2", 1, 0, 0)), DROP_NONE);
	lab_settle(&lab);
	assert_non_null(strstr(lab.text, "other-form"));
	assert_int_equal(lab_hear(&lab, (struct said)SAID("10.0.0.2", 1, 0, 0)), DROP_NONE);
	lab_settle(&lab);
	assert_null(strstr(lab.text, "other-form"));
	assert_int_equal(lab_node(&lab)->other_form.source.family, FAMILY_IPV4);
	int64_t heard = lab.now.ns;
	while (engine_deadline(lab.engine).ns < heard + 30 * NS_PER_S) {
		lab_tick(&lab, engine_deadline(lab.engine).ns);
		lab_settle(&lab);
		assert_null(strstr(lab.text, "other-form"));
	}
	lab_tick(&lab, heard + 30 * NS_PER_S - 1);
	lab_settle(&lab);
	assert_null(strstr(lab.text, "other-form"));
	lab_tick(&lab, heard + 30 * NS_PER_S);
	lab_settle(&lab);
	assert_non_null(strstr(lab.text, "other-form-over"));
}

static void test_digest_without_link_local_addresses(void **state)
{
	(void)state;
	lab.group.digest_form = DIGEST_WITH_LINK_LOCAL;
	lab_place(&lab);
	lab_up(&lab);
	assert_int_equal(lab_hear(&lab, (struct said)SAID("10.0.0.2", 1, 0, 0)), DROP_NONE);
	assert_int_equal(lab_node(&lab)->other_form.source.family, FAMILY_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_digest_of_the_other_form),
	        TEST(test_digest_without_link_local_addresses),
	        TEST(test_packets),
	        TEST(test_vrrp),
	        TEST(test_unicast),
	        TEST(test_multicast_only),
	        TEST(test_conflict_is_told_once),
	        TEST(test_conflict_with_pauses),
	        TEST(test_conflict_ends_after_a_goodbye),
	        TEST(test_outsider_with_a_single_packet),
	        TEST(test_unheard),
	        TEST(test_stray),
	        TEST(test_own),
	        TEST(test_own_unnumbered),
	        TEST(test_seal),
	        TEST(test_unsealed_from_one_who_seals),
	        TEST(test_seal_conflicts),
	        TEST(test_seals_off_here),
	        TEST(test_stripped),
	        TEST(test_sealed_counters_are_random),
	        TEST(test_plain_counters),
	        TEST(test_forged),
	        TEST(test_suspected_master_is_heard),
	        TEST(test_suspected_rival_is_answered),
	        TEST(test_suspected_successor),
	        TEST(test_sequence),
	        TEST(test_copies_have_one_sequence),
	        TEST(test_a_peer_sets_us_forward),
	        TEST(test_what_was_missed_is_old),
	        TEST(test_own_former_senders),
	        TEST(test_keys_that_are_gone),
	        TEST(test_backups_send_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
