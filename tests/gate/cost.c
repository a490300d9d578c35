/*
 * What a frame costs, and what the gate costs in memory.  Prints a table; `make
 * cost` runs it, as root and best on a quiet machine.
 *
 * BPF_PROG_TEST_RUN costs something itself, more than the gate does for a frame
 * of others.  So each take runs an empty program as well, right before, and what
 * counts is the difference.
 */
#include "world.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEAT 500000
#define TAKES  15

static struct world world;

static int run_ns(int program_fd, const struct frame *frame)
{
	struct __sk_buff context = {.ifindex = (uint32_t)world.link_index};
	struct bpf_test_run_opts options = {
	        .sz = sizeof(options),
	        .data_in = frame->data,
	        .data_size_in = (uint32_t)frame->bytes,
	        .ctx_in = &context,
	        .ctx_size_in = sizeof(context),
	        .repeat = REPEAT,
	};

	if (bpf_prog_test_run_opts(program_fd, &options) < 0) {
		perror("test run");
		exit(1);
	}
	return (int)options.duration;
}

static int by_size(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int empty_load(void)
{
	static const struct bpf_insn pass[] = {
	        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1},
	        {.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "empty", "GPL", pass, 2, NULL);
}

static void print_takes(const char *what, int takes_ns[TAKES])
{
	qsort(takes_ns, TAKES, sizeof(takes_ns[0]), by_size);
	printf("%-40s %4d / %d / %d ns\n", what, takes_ns[0], takes_ns[TAKES / 2], takes_ns[TAKES - 1]);
}

static void report(const char *what, enum gate_direction direction, const struct frame *frame, int empty_fd)
{
	int net_ns[TAKES];

	for (int i = 0; i < TAKES; i++) {
		int harness_ns = run_ns(empty_fd, frame);
		net_ns[i] = run_ns(world.gate->programs[direction].fd, frame) - harness_ns;
	}
	print_takes(what, net_ns);
}

static void report_harness(const struct frame *frame, int empty_fd)
{
	int takes_ns[TAKES];

	for (int i = 0; i < TAKES; i++)
		takes_ns[i] = run_ns(empty_fd, frame);
	print_takes("the harness, subtracted below", takes_ns);
}

static struct frame udp(const char *destination_mac, const char *source, const char *destination)
{
	struct frame frame;
	bool is_ipv6 = strchr(source, ':') != NULL;

	frame_ethernet(&frame, destination_mac, OTHER_MAC, is_ipv6 ? 0x86dd : 0x0800);
	if (is_ipv6)
		frame_ipv6(&frame, source, destination, 17);
	else
		frame_ipv4(&frame, source, destination, 17, 0);
	frame_hex(&frame, "1234 0035 0010 0000 0011223344556677");
	frame_finish(&frame);
	return frame;
}

static void report_frames(int empty_fd)
{
	struct frame other = udp(PARENT_MAC, "192.0.2.1", "198.51.100.1");
	struct frame other6 = udp(PARENT_MAC, "2001:db8:1::1", "2001:db8:2::1");
	struct frame vrrp, arp;

	report_harness(&other, empty_fd);
	report("in   IPv4, forwarded", GATE_IN, &other, empty_fd);
	report("out  IPv4, forwarded", GATE_OUT, &other, empty_fd);
	report("in   IPv6, forwarded", GATE_IN, &other6, empty_fd);
	report("out  IPv6, forwarded", GATE_OUT, &other6, empty_fd);
	frame_ethernet(&arp, "ff:ff:ff:ff:ff:ff", OTHER_MAC, 0x0806);
	frame_arp(&arp, 1, OTHER_MAC, "192.0.2.1", OTHER_MAC, "192.0.2.2");
	report("in   ARP of others", GATE_IN, &arp, empty_fd);
	report("out  ARP of others", GATE_OUT, &arp, empty_fd);
	frame_ethernet(&vrrp, "01:00:5e:00:00:12", OTHER_MAC, 0x0800);
	frame_ipv4(&vrrp, "10.0.0.2", "224.0.0.18", 112, 0);
	frame_hex(&vrrp, "21636401 0001 0000 0a000064");
	frame_finish(&vrrp);
	report("in   VRRP of another id", GATE_IN, &vrrp, empty_fd);

	struct frame to_virtual = udp(VIRTUAL, "192.0.2.1", SHARED);
	struct frame from_shared = udp(OTHER_MAC, SHARED, "192.0.2.1");
	struct frame from_shared6 = udp(OTHER_MAC, SHARED6, "2001:db8:1::1");
	struct frame reply, neighbour;

	frame_ethernet(&reply, OTHER_MAC, PARENT_MAC, 0x0806);
	frame_arp(&reply, 2, PARENT_MAC, SHARED, OTHER_MAC, "10.0.0.99");
	frame_ethernet(&neighbour, OTHER_MAC, PARENT_MAC, 0x86dd);
	frame_ipv6(&neighbour, SHARED6, "2001:db8::99", 58);
	frame_hex(&neighbour, "88000000 60000000 20010db8000000000000000000000100 0201 020000000001");
	frame_finish(&neighbour);
	report("in   to the virtual MAC, shut", GATE_IN, &to_virtual, empty_fd);
	report("out  IPv4 from a shared address, shut", GATE_OUT, &from_shared, empty_fd);
	gate_open(world.gate, world.port, VHID, world_in_ms(1000000));
	report("in   to the virtual MAC, open", GATE_IN, &to_virtual, empty_fd);
	report("out  IPv4 from a shared address, open", GATE_OUT, &from_shared, empty_fd);
	report("out  IPv6 from a shared address, open", GATE_OUT, &from_shared6, empty_fd);
	report("out  ARP from a shared address, open", GATE_OUT, &reply, empty_fd);
	report("out  neighbour advert with option, open", GATE_OUT, &neighbour, empty_fd);
}

static void report_memory(const char *when)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "Pss:", 4) || !strncmp(line, "Private_Dirty:", 14))
			printf("%-24s %s", when, line);
	if (file)
		fclose(file);
}

static void ignore_advert(void *context, int link_index, const uint8_t *network, size_t bytes, bool multicast,
                          instant arrived)
{
	(void)context, (void)link_index, (void)network, (void)bytes, (void)multicast, (void)arrived;
}

int main(int argc, char **argv)
{
	struct address address = address_of(SHARED), address6 = address_of(SHARED6);
	int empty_fd;

	(void)argv;
	report_memory("before");
	if (!world_make(&world))
		return 77;
	report_memory("loaded");
	world.port = gate_attach(world.gate, world.link_index, &world.parent_mac);
	if (world.port < 0 || gate_watch(world.gate, world.port, VHID, false) < 0 ||
	    gate_add_address(world.gate, world.port, VHID, &address) < 0 ||
	    gate_add_address(world.gate, world.port, VHID, &address6) < 0)
		return 1;
	report_memory("attached");
	if (argc > 1)
		(void)!system(argv[1]);
	empty_fd = empty_load();
	report_frames(empty_fd);
	gate_receive(world.gate, ignore_advert, NULL);
	report_memory("after");
	world_end(&world);
	return 0;
}
