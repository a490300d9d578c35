#include "world.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

bool world_try(const char *command)
{
	return system(command) == 0;
}

void world_run(const char *command)
{
	if (!world_try(command))
		fail_msg("%s", command);
}

int world_send(const char *interface, const struct frame *frame)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	ssize_t sent = sendto(fd, frame->data, frame->bytes, 0, (struct sockaddr *)&to, sizeof(to));
	int error = sent < 0 ? -errno : 0;

	close(fd);
	return error;
}

void world_add_filter(enum gate_direction direction, int program_fd, uint32_t handle, uint32_t priority)
{
	struct bpf_tc_hook hook;
	struct bpf_tc_opts options;

	/* libbpf looks at the padding too, which an initializer need not clear. */
	memset(&hook, 0, sizeof(hook));
	hook.sz = sizeof(hook);
	hook.ifindex = (int)if_nametoindex("eth0");
	hook.attach_point = direction == GATE_IN ? BPF_TC_INGRESS : BPF_TC_EGRESS;
	memset(&options, 0, sizeof(options));
	options.sz = sizeof(options);
	options.prog_fd = program_fd;
	options.handle = handle;
	options.priority = priority;
	assert_int_equal(bpf_tc_attach(&hook, &options), 0);
}

instant world_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (instant){now.tv_sec * NS_PER_S + now.tv_nsec};
}

instant world_in_ms(int64_t span_ms)
{
	return instant_after(world_now(), span_ms * NS_PER_MS);
}

bool world_make(struct world *ret_world)
{
	struct world world = {.parent_mac = {{2, 0, 0, 0, 0, 1}}};
	const char *why = "";

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
		return false;
	world_run("ip link set lo up && ip link add eth0 address " PARENT_MAC " type veth peer p0 && "
	          "ip link set eth0 up && ip link set p0 up");
	world.link_index = (int)if_nametoindex("eth0");
	/* Never a skipped test: a kernel that refuses the gate is what the tests are there to find. */
	if (gate_load(&world.gate, &why) < 0) {
		print_error("no gate: %s\n", why);
		exit(EXIT_FAILURE);
	}
	*ret_world = world;
	return true;
}

void world_end(struct world *world)
{
	gate_unload(world->gate);
}
