/*
 * The host of the gate (eth0: 10.0.0.1, 10.0.0.100 shared) and a client
 * (p0: 10.0.0.99, in a namespace of its own) talk to each other.
 */
#include "world.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CARP_7 "2107 0007 0001 0000 1122334455667788 000102030405060708090a0b0c0d0e0f10111213"

static struct world world;
static pid_t client;

/* The client's namespace lives as long as this process. */
static bool client_start(void)
{
	int ready[2];
	char byte;

	if (pipe(ready) < 0)
		return false;
	client = fork();
	if (client == 0) {
		bool made = unshare(CLONE_NEWNET) == 0;

		if (!made || write(ready[1], "", 1) < 0)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	return read(ready[0], &byte, 1) == 1;
}

static bool client_try(const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "nsenter -t %d -n %s >/dev/null 2>&1", client, command);
	return world_try(line);
}

static void client_run(const char *command)
{
	assert_true(client_try(command));
}

static bool client_pings(const char *address)
{
	char command[128];

	snprintf(command, sizeof(command), "ping -n -c 1 -W 1 %s", address);
	return client_try(command);
}

static bool client_knows(const char *address, const char *mac)
{
	char command[192];

	snprintf(command, sizeof(command), "sh -c 'ip neigh show %s | grep -q %s'", address, mac);
	return client_try(command);
}

static void client_forgets(void)
{
	client_run("ip neigh flush dev p0");
}

static void gate_open_ms(int64_t span_ms)
{
	gate_open(world.gate, world.port, VHID, world_in_ms(span_ms));
}

static void test_open_answers_with_the_virtual_mac(void **state)
{
	(void)state;
	gate_open_ms(60000);
	assert_true(client_pings(SHARED));
	assert_true(client_knows(SHARED, VIRTUAL));
	assert_true(client_pings(SHARED6));
	assert_true(client_knows(SHARED6, VIRTUAL));
	assert_true(client_pings("10.0.0.1"));
	assert_true(client_knows("10.0.0.1", PARENT_MAC));
	assert_true(client_pings("2001:db8::1"));
	assert_true(client_knows("2001:db8::1", PARENT_MAC));
}

static void test_closed_is_silent(void **state)
{
	(void)state;
	assert_false(client_pings(SHARED));
	assert_false(client_knows(SHARED, "lladdr"));
	assert_false(client_pings(SHARED6));
	assert_false(client_knows(SHARED6, "lladdr"));
	assert_true(client_pings("10.0.0.1"));
	assert_true(client_pings("2001:db8::1"));
}

static void test_lease_end_is_silent_even_for_those_who_know_us(void **state)
{
	(void)state;
	gate_open_ms(60000);
	assert_true(client_pings(SHARED));
	assert_true(client_pings(SHARED6));
	gate_open_ms(0);
	assert_true(client_knows(SHARED, VIRTUAL));
	assert_false(client_pings(SHARED));
	assert_false(client_pings(SHARED6));
	client_run("ip neigh replace " SHARED " lladdr " PARENT_MAC " dev p0 nud reachable");
	client_run("ip neigh replace " SHARED6 " lladdr " PARENT_MAC " dev p0 nud reachable");
	assert_false(client_pings(SHARED));
	assert_false(client_pings(SHARED6));
}

static void test_local_senders_are_told(void **state)
{
	(void)state;
	assert_false(world_try("ping -n -c 1 -W 1 -I " SHARED " 10.0.0.99 2>&1 | "
	                       "grep -q '1 received'"));
	gate_open_ms(60000);
	assert_true(world_try("ping -n -c 1 -W 1 -I " SHARED " 10.0.0.99 | grep -q '1 received'"));
	assert_true(client_knows(SHARED, VIRTUAL));
}

/*
 * What BPF_PROG_TEST_RUN cannot make: tags in the frame's metadata, and headers outside the linear part.
 */

static struct frame advert(const char *tag)
{
	struct frame frame, whole;

	frame_ethernet(&frame, "01:00:5e:00:00:12", OTHER_MAC, 0x0800);
	frame_ipv4(&frame, "10.0.0.2", "224.0.0.18", 112, 0);
	frame_hex(&frame, CARP_7);
	frame_finish(&frame);
	if (!tag)
		return frame;
	frame_ethernet(&whole, "01:00:5e:00:00:12", OTHER_MAC, 0x8100);
	frame_hex(&whole, tag);
	memcpy(whole.data + 16, frame.data + 12, frame.bytes - 12);
	whole.bytes = frame.bytes + 4;
	return whole;
}

static bool ring_fills(void)
{
	struct pollfd ring = {.fd = gate_fd(world.gate), .events = POLLIN};

	poll(&ring, 1, 200);
	return gate_receive(world.gate, NULL, NULL) == 1;
}

static bool advert_with_tag_arrives(const char *tag)
{
	struct frame frame = advert(tag);

	gate_drain(world.gate);
	assert_int_equal(world_send("eth1", &frame), 0);
	return ring_fills();
}

static void test_tagged_adverts_are_of_a_vlan(void **state)
{
	struct mac mac = {{2, 0, 0, 0, 0, 2}};
	int port;

	(void)state;
	world_run("ip link add eth1 type veth peer eth2 && ip link set eth1 up && ip link set eth2 up");
	port = gate_attach(world.gate, (int)if_nametoindex("eth2"), &mac);
	assert_true(port >= 0);
	assert_int_equal(gate_watch(world.gate, port, VHID, false), 0);
	assert_true(advert_with_tag_arrives(NULL));
	assert_false(advert_with_tag_arrives("0064"));
	assert_true(advert_with_tag_arrives("0000"));
	assert_true(advert_with_tag_arrives("e000"));
	gate_detach(world.gate, port);
	world_run("ip link del eth1");
}

/* Pushes a tag into the metadata of every frame, as a VLAN device on top would. */
static struct gate_program tagger_load(int32_t vid)
{
	const struct bpf_insn push[] = {
	        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 0x0081},
	        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = vid},
	        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_skb_vlan_push},
	        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1},
	        {.code = BPF_JMP | BPF_EXIT},
	};
	struct gate_program program = {
	        .fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "tagger", "GPL", push, 5, NULL)};

	assert_true(program.fd >= 0);
	return program;
}

static int send_tagged_tcx(const struct gate_program *tagger, const struct frame *frame)
{
	int error;

	assert_int_equal(gate_hook_attach(GATE_HOOK_TCX, world.link_index, GATE_OUT, tagger), 1);
	error = world_send("eth0", frame);
	assert_int_equal(gate_hook_detach(GATE_HOOK_TCX, world.link_index, GATE_OUT, tagger), 0);
	return error;
}

/* Not by the gate's own way, which would take the gate's filter for a predecessor. */
static int send_tagged_clsact(const struct gate_program *tagger, const struct frame *frame)
{
	int error;

	world_add_filter(GATE_OUT, tagger->fd, 1, 1);
	error = world_send("eth0", frame);
	world_run("tc filter del dev eth0 egress pref 1 handle 1 bpf");
	return error;
}

static int send_tagged(int32_t vid, const struct frame *frame)
{
	struct gate_program tagger = tagger_load(vid);
	int error = world.gate->hook == GATE_HOOK_TCX ? send_tagged_tcx(&tagger, frame)
	                                              : send_tagged_clsact(&tagger, frame);

	close(tagger.fd);
	return error;
}

static void test_tagged_frames_leave(void **state)
{
	struct frame frame;

	(void)state;
	frame_ethernet(&frame, "ff:ff:ff:ff:ff:ff", PARENT_MAC, 0x0806);
	frame_arp(&frame, 2, PARENT_MAC, SHARED, OTHER_MAC, "10.0.0.99");
	assert_int_equal(world_send("eth0", &frame), -ENOBUFS);
	assert_int_equal(send_tagged(100, &frame), 0);
	assert_int_equal(send_tagged(0, &frame), -ENOBUFS);
}

static int tap_open(void)
{
	struct ifreq request = {.ifr_name = "tap0",
	                        .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_NAPI | IFF_NAPI_FRAGS};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		close(fd);
		return -1;
	}
	world_run("ip link set tap0 address 02:00:00:00:00:03 up");
	return fd;
}

static void tap_write(int tap, const struct frame *frame, size_t linear)
{
	struct iovec parts[] = {
	        {(void *)(uintptr_t)frame->data, linear},
	        {(void *)(uintptr_t)(frame->data + linear), frame->bytes - linear},
	};

	assert_int_equal(writev(tap, parts, 2), frame->bytes);
}

static void test_headers_outside_the_linear_part(void **state)
{
	struct frame frame = advert(NULL);
	struct mac mac = {{2, 0, 0, 0, 0, 3}};
	struct gate_counters counters;
	instant deadline;
	int tap = tap_open(), port;

	(void)state;
	if (tap < 0) {
		print_message("skipped: there is no /dev/net/tun\n");
		skip();
	}
	port = gate_attach(world.gate, (int)if_nametoindex("tap0"), &mac);
	assert_true(port >= 0);
	assert_int_equal(gate_watch(world.gate, port, VHID, false), 0);
	gate_drain(world.gate);
	for (size_t linear = 14; linear < frame.bytes; linear++) {
		tap_write(tap, &frame, linear);
		assert_true(ring_fills());
	}

	frame_ethernet(&frame, VIRTUAL, OTHER_MAC, 0x0806);
	frame_arp(&frame, 1, OTHER_MAC, "10.0.0.99", VIRTUAL, SHARED);
	tap_write(tap, &frame, 14);
	/* Cut off in the middle of the IP header: nothing to look at, but the gate must not stumble. */
	frame = advert(NULL);
	frame.bytes = 30;
	tap_write(tap, &frame, 14);
	deadline = world_in_ms(2000);
	do {
		gate_read_counters(world.gate, port, VHID, &counters);
	} while (counters.refused == 0 && instant_before(world_now(), deadline));
	assert_int_equal(counters.refused, 1);
	gate_detach(world.gate, port);
	close(tap);
}

static int set_up(void **state)
{
	(void)state;
	gate_close(world.gate, world.port, VHID);
	client_forgets();
	return 0;
}

static bool hosts_make(void)
{
	struct address address = address_of(SHARED), address6 = address_of(SHARED6);
	char move[64];

	if (!world_make(&world))
		return false;
	world.port = gate_attach(world.gate, world.link_index, &world.parent_mac);
	if (world.port < 0 || gate_watch(world.gate, world.port, VHID, false) < 0 ||
	    gate_add_address(world.gate, world.port, VHID, &address) < 0 ||
	    gate_add_address(world.gate, world.port, VHID, &address6) < 0 || !client_start())
		return false;
	snprintf(move, sizeof(move), "ip link set p0 netns %d", client);
	world_run(move);
	world_run("ip addr add 10.0.0.1/24 dev eth0 && ip addr add 2001:db8::1/64 dev eth0 nodad && "
	          "ip addr add " SHARED "/32 dev eth0 && ip addr add " SHARED6 "/128 dev eth0 nodad "
	          "preferred_lft 0");
	return client_try("ip link set p0 up") && client_try("ip addr add 10.0.0.99/24 dev p0") &&
	       client_try("ip addr add 2001:db8::99/64 dev p0 nodad");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_open_answers_with_the_virtual_mac),
	        TEST(test_closed_is_silent),
	        TEST(test_lease_end_is_silent_even_for_those_who_know_us),
	        TEST(test_local_senders_are_told),
	        TEST(test_tagged_adverts_are_of_a_vlan),
	        TEST(test_tagged_frames_leave),
	        TEST(test_headers_outside_the_linear_part),
	};
	int failed;

	if (!hosts_make())
		return 77;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	kill(client, SIGTERM);
	waitpid(client, NULL, 0);
	world_end(&world);
	return failed;
}
