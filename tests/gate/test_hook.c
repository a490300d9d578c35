/*
 * Attaching, watching and cleaning, with both kinds of hook and frames that
 * really arrive at the interface.
 */
#include "world.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "linux/gate_hook_private.h"
#include "linux/sandbox.h"

static struct world world;

static struct frame advert(void)
{
	struct frame frame;

	frame_ethernet(&frame, "01:00:5e:00:00:12", OTHER_MAC, 0x0800);
	frame_ipv4(&frame, "10.0.0.2", "224.0.0.18", 112, 0);
	frame_hex(&frame, "2107 0007 0001 0000 1122334455667788 000102030405060708090a0b0c0d0e0f10111213");
	frame_finish(&frame);
	return frame;
}

static bool advert_arrives(struct gate *gate)
{
	struct frame frame = advert();
	struct pollfd ring = {.fd = gate_fd(gate), .events = POLLIN};

	gate_drain(gate);
	if (world_send("p0", &frame) < 0)
		return false;
	/* The pair of interfaces delivers within the call or a softirq after it. */
	poll(&ring, 1, 200);
	return gate_receive(gate, NULL, NULL) == 1;
}

/* A program of somebody else, that lets everything pass and ends the chain. */
static struct gate_program foreign_load(void)
{
	static const struct bpf_insn ok[] = {
	        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 /* TC_ACT_OK */},
	        {.code = BPF_JMP | BPF_EXIT},
	};
	struct gate_program program = {
	        .fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "foreign", "GPL", ok, 2, NULL)};
	struct bpf_prog_info info = {0};
	uint32_t bytes = sizeof(info);

	assert_true(program.fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(program.fd, &info, &bytes), 0);
	program.id = info.id;
	return program;
}

static void attach(enum gate_hook hook)
{
	world.gate->hook = hook;
	world.port = gate_attach(world.gate, world.link_index, &world.parent_mac);
	assert_true(world.port >= 0);
	assert_int_equal(gate_watch(world.gate, world.port, VHID, false), 0);
}

/* Before Linux 6.6 there is only the other kind of hook. */
static void needs_tcx(void)
{
	if (!gate_tcx_exists()) {
		print_message("skipped: before Linux 6.6 there is no tcx\n");
		skip();
	}
}

static bool link_has_clsact(void)
{
	return world_try("tc qdisc show dev eth0 clsact | grep -q clsact");
}

static void assert_works_and_checks(enum gate_hook hook)
{
	int port;

	attach(hook);
	assert_true(advert_arrives(world.gate));
	assert_int_equal(gate_check(world.gate, world.port), 0);
	/* Again, as a new engine does. */
	port = world.port;
	attach(hook);
	assert_int_equal(world.port, port);
	assert_true(advert_arrives(world.gate));
	assert_int_equal(link_has_clsact(), hook == GATE_HOOK_CLSACT);

	gate_detach(world.gate, world.port);
	assert_false(advert_arrives(world.gate));
	assert_int_equal(gate_clean(), 0);
	assert_false(link_has_clsact());
}

static void test_tcx_attach_and_detach(void **state)
{
	(void)state;
	needs_tcx();
	assert_works_and_checks(GATE_HOOK_TCX);
}

static void test_clsact_attach_and_detach(void **state)
{
	(void)state;
	assert_works_and_checks(GATE_HOOK_CLSACT);
}

static void test_deleted_clsact_is_restored(void **state)
{
	(void)state;
	attach(GATE_HOOK_CLSACT);
	world_run("tc qdisc del dev eth0 clsact");
	assert_false(advert_arrives(world.gate));
	assert_int_equal(gate_check(world.gate, world.port), 1);
	assert_true(advert_arrives(world.gate));
	assert_int_equal(gate_check(world.gate, world.port), 0);
}

static void test_deleted_clsact_does_not_touch_tcx(void **state)
{
	(void)state;
	needs_tcx();
	attach(GATE_HOOK_TCX);
	world_run("tc qdisc add dev eth0 clsact && tc qdisc del dev eth0 clsact");
	assert_true(advert_arrives(world.gate));
	assert_int_equal(gate_check(world.gate, world.port), 0);
}

static void test_detached_tcx_is_restored(void **state)
{
	(void)state;
	needs_tcx();
	attach(GATE_HOOK_TCX);
	assert_int_equal(
	        gate_hook_detach(GATE_HOOK_TCX, world.link_index, GATE_IN, &world.gate->programs[GATE_IN]),
	        0);
	assert_false(advert_arrives(world.gate));
	assert_int_equal(gate_check(world.gate, world.port), 1);
	assert_true(advert_arrives(world.gate));
}

static void test_foreign_tcx_in_front(void **state)
{
	struct gate_program foreign;

	(void)state;
	needs_tcx();
	foreign = foreign_load();
	attach(GATE_HOOK_TCX);
	assert_int_equal(gate_hook_attach(GATE_HOOK_TCX, world.link_index, GATE_IN, &foreign), 1);
	assert_false(advert_arrives(world.gate));
	assert_int_equal(gate_check(world.gate, world.port), 1);
	assert_true(advert_arrives(world.gate));
	assert_int_equal(gate_check(world.gate, world.port), 0);
	/* It is still there, behind ours, and stays when we go. */
	assert_int_equal(gate_clean(), 2);
	assert_int_equal(gate_hook_attach(GATE_HOOK_TCX, world.link_index, GATE_IN, &foreign), 0);
	assert_int_equal(gate_hook_detach(GATE_HOOK_TCX, world.link_index, GATE_IN, &foreign), 0);
	close(foreign.fd);
}

static void test_foreign_filter_in_front(void **state)
{
	struct gate_program foreign = foreign_load();

	(void)state;
	attach(GATE_HOOK_CLSACT);
	world_add_filter(GATE_IN, foreign.fd, 2, 1);
	assert_false(advert_arrives(world.gate));
	assert_int_equal(gate_check(world.gate, world.port), 1);
	assert_true(advert_arrives(world.gate));
	assert_int_equal(gate_check(world.gate, world.port), 0);
	/* The other's filter and so its clsact stay. */
	assert_int_equal(gate_clean(), 2);
	assert_true(link_has_clsact());
	world_run("tc filter show dev eth0 ingress | grep -q 'handle 0x2'");
	world_run("tc qdisc del dev eth0 clsact");
	close(foreign.fd);
}

static void test_foreign_filter_behind_is_let_alone(void **state)
{
	struct gate_program foreign = foreign_load();

	(void)state;
	world_run("tc qdisc add dev eth0 clsact");
	world_add_filter(GATE_IN, foreign.fd, 1, 5);
	attach(GATE_HOOK_CLSACT);
	assert_true(advert_arrives(world.gate));
	assert_int_equal(gate_check(world.gate, world.port), 0);
	gate_detach(world.gate, world.port);
	assert_true(link_has_clsact());
	world_run("tc qdisc del dev eth0 clsact");
	close(foreign.fd);
}

#define ANY_FILTER "bpf da bytecode '1,6 0 0 0'"

static void assert_refused(int error, const char *cure)
{
	world.gate->hook = GATE_HOOK_CLSACT;
	assert_int_equal(gate_attach(world.gate, world.link_index, &world.parent_mac), error);
	if (!strstr(gate_explain_attach(error, "eth0"), cure))
		fail_msg("\"%s\" does not say \"%s\"", gate_explain_attach(error, "eth0"), cure);
	assert_false(
	        world_try("(tc filter show dev eth0 ingress; tc filter show dev eth0 egress) | grep carpd"));
}

/* It has the place of clsact, and filters for what leaves would land among those for what comes. */
static void test_ingress_qdisc_is_left_alone(void **state)
{
	(void)state;
	world_run("tc qdisc add dev eth0 ingress && tc filter add dev eth0 parent ffff: protocol ip pref "
	          "3 " ANY_FILTER);
	assert_refused(-EEXIST, "tc qdisc add dev eth0 clsact");
	world_run("tc qdisc show dev eth0 | grep -q 'qdisc ingress'");
	world_run("tc filter show dev eth0 ingress | grep -q 'pref 3'");
	world_run("tc qdisc del dev eth0 ingress && tc qdisc add dev eth0 clsact");
	world.port = gate_attach(world.gate, world.link_index, &world.parent_mac);
	assert_true(world.port >= 0);
	assert_int_equal(gate_check(world.gate, world.port), 0);
	/* Somebody puts it back while the gate is there. */
	world_run("tc qdisc del dev eth0 clsact && tc qdisc add dev eth0 ingress");
	assert_int_equal(gate_check(world.gate, world.port), -EEXIST);
	gate_detach(world.gate, world.port);
	world_run("tc qdisc del dev eth0 ingress");
}

/* A priority has one protocol and one kind of filter, so there is no place before such a one. */
static void test_priority_one_of_another_protocol(void **state)
{
	static const char *const hooks[] = {"ingress", "egress"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char command[256];

		snprintf(command, sizeof(command),
		         "tc qdisc add dev eth0 clsact && tc filter add dev eth0 %s protocol ip "
		         "pref 1 " ANY_FILTER,
		         hooks[i]);
		world_run(command);
		assert_refused(-EBUSY, "priority 1");
		assert_true(link_has_clsact());
		world_run("tc qdisc del dev eth0 clsact");
	}
}

static void test_block_of_several_interfaces(void **state)
{
	(void)state;
	world_run(
	        "tc qdisc add dev eth0 ingress_block 7 clsact && tc qdisc add dev p0 ingress_block 7 clsact");
	assert_refused(-EOPNOTSUPP, "shares");
	world_run("tc qdisc del dev p0 clsact && tc qdisc del dev eth0 clsact");
}

/* Whoever made them, and before us: a frame comes there only if a rule of the first chain says so. */
static void test_filters_of_other_chains_are_not_in_front(void **state)
{
	(void)state;
	world_run("tc qdisc add dev eth0 clsact && "
	          "tc filter add dev eth0 ingress chain 5 protocol ip pref 1 " ANY_FILTER " && "
	          "tc filter add dev eth0 egress chain 5 protocol ip pref 1 " ANY_FILTER);
	attach(GATE_HOOK_CLSACT);
	assert_int_equal(gate_check(world.gate, world.port), 0);
	assert_true(advert_arrives(world.gate));
	gate_detach(world.gate, world.port);
	assert_true(link_has_clsact());
	world_run("tc qdisc del dev eth0 clsact");
}

/* The programs outlive their owner, and the next one takes their place, by whichever hook. */
static void assert_replaces(enum gate_hook before, enum gate_hook after)
{
	struct gate *old = world.gate;
	const char *why;

	attach(before);
	assert_int_equal(gate_load(&world.gate, &why), 0);
	attach(after);
	assert_true(advert_arrives(world.gate));
	assert_false(advert_arrives(old));
	assert_int_equal(gate_clean(), 2);
	gate_unload(old);
}

static void test_predecessors_are_replaced(void **state)
{
	(void)state;
	assert_replaces(GATE_HOOK_CLSACT, GATE_HOOK_CLSACT);
}

static void test_predecessors_of_either_hook_are_replaced(void **state)
{
	(void)state;
	needs_tcx();
	assert_replaces(GATE_HOOK_TCX, GATE_HOOK_TCX);
	assert_replaces(GATE_HOOK_CLSACT, GATE_HOOK_TCX);
	assert_replaces(GATE_HOOK_TCX, GATE_HOOK_CLSACT);
}

static void test_clean_finds_what_was_left(void **state)
{
	const char *why;

	(void)state;
	attach(gate_hook_probe());
	gate_unload(world.gate);
	assert_int_equal(gate_clean(), 2);
	assert_int_equal(gate_clean(), 0);
	assert_int_equal(gate_load(&world.gate, &why), 0);
}

static void test_missing_interface(void **state)
{
	(void)state;
	if (gate_tcx_exists()) {
		world.gate->hook = GATE_HOOK_TCX;
		assert_int_equal(gate_attach(world.gate, 4711, &world.parent_mac), -ENODEV);
	}
	world.gate->hook = GATE_HOOK_CLSACT;
	assert_int_equal(gate_attach(world.gate, 4711, &world.parent_mac), -ENODEV);
}

static void test_ports_are_limited(void **state)
{
	(void)state;
	for (int port = 0; port < GATE_PORTS_MAX; port++) {
		uint32_t link_index = 1000 + (uint32_t)port;
		struct gate_port entry = {.port = (uint8_t)port};

		assert_int_equal(bpf_map_update_elem(world.gate->ports_fd, &link_index, &entry, 0), 0);
	}
	assert_int_equal(gate_attach(world.gate, world.link_index, &world.parent_mac), -ENOSPC);
}

/*
 * As the engine: forked, another user, and no more capabilities than it has.
 */

#define EXPECT(condition)                                                                                    \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			return __LINE__;                                                                     \
	} while (0)

/* Returns 0 or the line that went wrong. */
static int engine_run(enum gate_hook hook)
{
	struct address address = address_of(SHARED);
	struct gate_counters counters;
	struct gate *gate = world.gate;
	int port;

	EXPECT(sandbox_drop_privileges(65534, 65534, true) == 0);
	gate_reset(gate);
	gate->hook = hook;
	port = gate_attach(gate, world.link_index, &world.parent_mac);
	EXPECT(port >= 0);
	EXPECT(gate_watch(gate, port, VHID, true) == 0);
	EXPECT(gate_add_address(gate, port, VHID, &address) == 0);
	gate_open(gate, port, VHID, world_in_ms(10000));
	EXPECT(advert_arrives(gate));
	gate_read_counters(gate, port, VHID, &counters);
	EXPECT(counters.adverts > 0);
	EXPECT(gate_check(gate, port) == 0);
	EXPECT(gate_hook_detach(hook, world.link_index, GATE_IN, &gate->programs[GATE_IN]) == 0);
	EXPECT(gate_check(gate, port) == 1);
	EXPECT(advert_arrives(gate));
	EXPECT(gate_remove_address(gate, port, &address) == 0);
	gate_detach(gate, port);
	EXPECT(!advert_arrives(gate));
	port = gate_attach(gate, world.link_index, &world.parent_mac);
	EXPECT(port >= 0);
	gate_open(gate, port, VHID, world_in_ms(10000));
	return 0;
}

static void assert_engine_works(enum gate_hook hook)
{
	uint32_t index;
	struct gate_vhost vhost;
	int status, line = 0, lines[2];
	pid_t engine;

	assert_int_equal(pipe(lines), 0);
	engine = fork();
	if (engine == 0) {
		line = engine_run(hook);
		_exit(write(lines[1], &line, sizeof(line)) < 0);
	}
	close(lines[1]);
	assert_int_equal(read(lines[0], &line, sizeof(line)), sizeof(line));
	assert_int_equal(waitpid(engine, &status, 0), engine);
	close(lines[0]);
	if (line != 0)
		fail_msg("the engine failed at line %d", line);

	/* What it has opened, the keeper can shut. */
	index = VHID;
	assert_int_equal(bpf_map_lookup_elem(world.gate->vhosts_fd, &index, &vhost), 0);
	assert_int_not_equal(vhost.lease_end_ns, 0);
	gate_close_all(world.gate);
	assert_int_equal(bpf_map_lookup_elem(world.gate->vhosts_fd, &index, &vhost), 0);
	assert_int_equal(vhost.lease_end_ns, 0);
}

static void test_engine_without_privileges_tcx(void **state)
{
	(void)state;
	needs_tcx();
	assert_engine_works(GATE_HOOK_TCX);
}

static void test_engine_without_privileges_clsact(void **state)
{
	(void)state;
	assert_engine_works(GATE_HOOK_CLSACT);
}

static int set_up(void **state)
{
	(void)state;
	gate_reset(world.gate);
	/* What a failed test has left would fail the next ones. */
	(void)world_try("for dev in eth0 p0; do tc qdisc del dev $dev clsact; tc qdisc del dev $dev ingress; "
	                "done 2>/dev/null");
	return gate_clean() < 0;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_tcx_attach_and_detach),
	        TEST(test_clsact_attach_and_detach),
	        TEST(test_deleted_clsact_is_restored),
	        TEST(test_deleted_clsact_does_not_touch_tcx),
	        TEST(test_detached_tcx_is_restored),
	        TEST(test_foreign_tcx_in_front),
	        TEST(test_foreign_filter_in_front),
	        TEST(test_foreign_filter_behind_is_let_alone),
	        TEST(test_ingress_qdisc_is_left_alone),
	        TEST(test_priority_one_of_another_protocol),
	        TEST(test_block_of_several_interfaces),
	        TEST(test_filters_of_other_chains_are_not_in_front),
	        TEST(test_predecessors_are_replaced),
	        TEST(test_predecessors_of_either_hook_are_replaced),
	        TEST(test_clean_finds_what_was_left),
	        TEST(test_missing_interface),
	        TEST(test_ports_are_limited),
	        TEST(test_engine_without_privileges_tcx),
	        TEST(test_engine_without_privileges_clsact),
	};
	int failed;

	if (!world_make(&world))
		return 77;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_end(&world);
	return failed;
}
