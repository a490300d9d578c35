/*
 * Many groups under random events: what must hold after every call.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/engine.h"

#define PARENTS 2
#define GROUPS  3
#define NODES   4
#define EVENTS  200000

static const char *const parent_names[PARENTS] = {"eth0", "eth1"};
static const struct node_settings nodes[NODES] = {{1, 0}, {2, 100}, {3, 50}, {3, 200}};
static struct shared_address addresses[GROUPS][2];
static struct group_settings groups[GROUPS];
static struct engine_settings settings;
static struct seal_key key;

static uint64_t seed, state;
static struct engine *engine;
static instant now;
static bool taken[GROUPS];
static uint64_t counter, sequence;

static uint32_t draw(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 33) % below;
}

static void configure(void)
{
	seal_key_derive(&key, 0, (const uint8_t *)"secret", 6);
	for (size_t i = 0; i < GROUPS; i++) {
		addresses[i][0].address = address_of("10.0.0.100");
		addresses[i][0].address.bytes[3] = (uint8_t)(100 + i);
		addresses[i][1].address = address_of("2001:db8::100");
		groups[i] = (struct group_settings){
		        .name = "group",
		        .parent = i == 2,
		        .advbase = (uint8_t)(i != 1),
		        .preempt = i == 0,
		        .preempt_delay_ns = 2 * NS_PER_S,
		        .ttl_check = true,
		        /* Virtual hosts 1 and 2, and 3 on the other interface; 1 and 2 are one group. */
		        .nodes = i == 0   ? &nodes[0]
		                 : i == 1 ? &nodes[2]
		                          : &nodes[3],
		        .node_count = i == 0 ? 2 : 1,
		        .addresses = addresses[i],
		        .address_count = 2,
		        .passphrase = {"secret", 6},
		        .seal = i == 2 ? SEAL_OFF : SEAL_OFFER,
		        .mark_key = key,
		        .seal_keys = &key,
		        .seal_key_count = 1,
		        .seal_window_ns = 60 * NS_PER_S,
		};
	}
	settings = (struct engine_settings){
	        .groups = groups,
	        .group_count = GROUPS,
	        .node_count = NODES,
	        .parent_names = parent_names,
	        .parent_count = PARENTS,
	        .handover_wait_ns = 2 * NS_PER_S,
	        .grace_ns = 5 * NS_PER_S,
	};
}

static struct engine *place(void)
{
	void *memory = calloc(1, engine_bytes(&settings));

	assert_non_null(memory);
	settings.seed = state;
	settings.start = now;
	return engine_place(memory, &settings);
}

static void check(void)
{
	bool running = false;

	assert_true(engine->action_count <= engine->action_capacity);
	for (size_t g = 0; g < GROUPS; g++) {
		const struct group *group = &engine->groups[g];
		size_t masters = 0;
		for (size_t n = 0; n < group->node_count; n++) {
			const struct vhost *vhost = &group->nodes[n].vhost;
			masters += vhost->state == VHOST_MASTER;
			running |= vhost->state != VHOST_INIT;
			if (engine_deadline(engine).ns > vhost_deadline(vhost).ns &&
			    engine_deadline(engine).ns > now.ns)
				fail_msg("vhid %d is due at %lld, the engine at %lld", vhost->vhid,
				         (long long)vhost_deadline(vhost).ns,
				         (long long)engine_deadline(engine).ns);
			if (vhost->state != VHOST_INIT)
				assert_false(instant_is_never(vhost_deadline(vhost)));
			if (vhost->state != VHOST_MASTER)
				assert_int_equal(vhost->lease_end.ns, 0);
			assert_false(group->stopped && vhost->state == VHOST_BACKUP);
		}
		assert_int_equal(masters, group->masters);
	}
	if (running)
		assert_false(instant_is_never(engine_deadline(engine)));
}

static void perform(const struct action *action)
{
	size_t group = action->group != NULL ? (size_t)(action->group - engine->groups) : 0;
	struct advert_out out;
	int errors[DESTINATIONS_MAX];
	size_t copies = 0;

	switch (action->kind) {
	case ACTION_TAKE:
		taken[group] = true;
		if (draw(40) == 0)
			engine_take_failed(engine, action->group, 13, now);
		break;
	case ACTION_DROP:
		assert_true(taken[group]);
		taken[group] = false;
		break;
	case ACTION_ADVERTISE:
		now.ns += draw(1000);
		if (draw(500) == 0)
			now.ns += 5 * NS_PER_S;
		for (; engine_advert_frame(engine, action->node, copies, now, &out); copies++) {
			assert_true(out.length <= PACKET_FRAME_MAX);
			errors[copies] = draw(10) == 0 ? 105 : 0;
		}
		engine_sent(engine, action->node, now, errors, copies);
		break;
	case ACTION_GOODBYE:
		assert_true(engine_advert_frame(engine, action->node, 0, now, &out));
		engine_sent(engine, action->node, now, &(int){(int)draw(2)}, 1);
		break;
	case ACTION_PROBE:
		for (; engine_probe_frame(engine, action->node, copies, &out); copies++)
			errors[copies] = (int)draw(2);
		engine_probed(engine, action->node, errors, copies, now);
		break;
	case ACTION_SHUT:
	case ACTION_SERVE:
	case ACTION_ANNOUNCE:
	case ACTION_TELL:
		break;
	}
	check();
}

static void settle(void)
{
	check();
	for (size_t i = 0; i < engine->action_count; i++) {
		const struct action action = engine->actions[i];
		perform(&action);
	}
	engine_clear_actions(engine);
	for (size_t g = 0; g < GROUPS; g++)
		assert_int_equal(taken[g], engine->groups[g].masters > 0);
}

static void change_parent(void)
{
	struct parent parent = {.up = draw(4) != 0, .mac = {{2, 0, 0, 0, 0, 1}}};

	if (draw(3) != 0) {
		parent.source_ipv4 = address_of("10.0.0.5");
		parent.source_ipv6 = address_of("fe80::5");
	}
	engine_parent_changed(engine, draw(PARENTS), &parent, now);
}

static void hear(void)
{
	static const uint8_t skews[] = {0, 50, 99, 100, 101, 200, 240, 254, 255};
	const struct group *group = &engine->groups[draw(GROUPS)];
	const struct node *node = &group->nodes[draw((uint32_t)group->node_count)];
	const struct group_settings *like = group->settings;
	struct address source = address_of(draw(2) ? "10.0.0.2" : "fe80::2");
	struct advert advert = {.vhid = node->vhost.vhid,
	                        .advskew = skews[draw(sizeof(skews))],
	                        .advbase = (uint8_t)draw(3),
	                        .demote = draw(4) == 0 ? (uint8_t)draw(256) : 0,
	                        .counter = draw(10) == 0 ? counter : ++counter};
	uint8_t payload[SEALED_BYTES], frame[PACKET_FRAME_MAX];
	size_t bytes = ADVERT_BYTES;
	struct mac mac = {{0}};

	source.bytes[address_bytes(&source) - 1] = (uint8_t)draw(10);
	if (advert.advskew == 255)
		advert.advbase = 255;
	digest_sign(&node->digests[draw(DIGEST_FORMS)], advert.counter, advert.digest);
	if (draw(20) == 0)
		advert.digest[3] ^= 1;
	advert_encode(&advert, payload);
	if (draw(2) == 0) {
		sequence += draw(3);
		seal_write(like->seal_keys, &source, payload, sequence, 0, draw(4) ? 0 : draw(3),
		           payload + ADVERT_BYTES);
		bytes = SEALED_BYTES;
	}
	bytes = packet_build(&mac, &mac, &source,
	                     source.family == FAMILY_IPV4 ? &carp_group_ipv4 : &carp_group_ipv6, payload,
	                     bytes, frame);
	if (draw(20) == 0)
		frame[ETHERNET_BYTES + draw((uint32_t)bytes - ETHERNET_BYTES)] ^= (uint8_t)(1 << draw(8));
	engine_receive(engine, like->parent, frame + ETHERNET_BYTES, bytes - ETHERNET_BYTES, true, now);
}

static void demote(void)
{
	char name[16];

	snprintf(name, sizeof(name), "reason %u", draw(70));
	if (draw(2) == 0)
		engine_undemote(engine, name, now);
	else
		engine_demote(engine, name, 1 + (int)draw(255), now,
		              draw(2) ? INSTANT_NEVER : instant_after(now, (int64_t)draw(4000) * NS_PER_MS));
}

static struct engine *retired[2];

static void reload(void)
{
	struct engine *next;

	/* Addresses or nothing change; the passphrase's digests are made anew all the same. */
	addresses[0][0].address.bytes[2] = (uint8_t)draw(2);
	next = place();
	engine_adopt(next, engine, now);
	free(retired[0]);
	retired[0] = retired[1];
	retired[1] = engine;
	engine = next;
}

static void start_again(void)
{
	free(retired[0]);
	free(retired[1]);
	free(engine);
	retired[0] = retired[1] = NULL;
	engine = place();
	memset(taken, 0, sizeof(taken));
}

static void pass_time(void)
{
	instant deadline = engine_deadline(engine);

	if (draw(8) == 0)
		now.ns += (int64_t)draw(6000) * NS_PER_MS;
	else if (draw(2) == 0)
		now.ns += (int64_t)draw(20) * NS_PER_MS;
	else if (!instant_is_never(deadline) && now.ns < deadline.ns)
		now = deadline;
	if (draw(10) != 0)
		engine_tick(engine, now);
}

static void random_event(void)
{
	uint32_t kind = draw(1000);

	if (kind < 500)
		pass_time();
	else if (kind < 900)
		hear();
	else if (kind < 940)
		demote();
	else if (kind < 960)
		change_parent();
	else if (kind < 970)
		engine_hand_over(engine, draw(2) ? NULL : &engine->groups[draw(GROUPS)], now);
	else if (kind < 980)
		engine_address_lost(engine, draw(PARENTS), &addresses[draw(GROUPS)][0].address, now);
	else if (kind < 990)
		engine_expire_leases(engine, now);
	else if (kind < 992)
		engine_stop(engine, draw(2) ? NULL : &engine->groups[draw(GROUPS)], now);
	else if (kind < 998)
		reload();
	else
		start_again();
}

static void test_invariants(void **unused)
{
	(void)unused;
	configure();
	engine = place();
	for (int i = 0; i < EVENTS; i++) {
		random_event();
		settle();
	}
	free(engine);
	free(retired[0]);
	free(retired[1]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_invariants)};

	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
	printf("seed %llu: repeat with the seed as the only argument\n", (unsigned long long)seed);
	state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
