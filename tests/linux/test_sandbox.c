/*
 * Each call is made by a child behind the filter: it lives, or SIGSYS ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "linux/peer.h"
#include "linux/sandbox.h"
#include "linux/wire.h"

typedef void call_fn(void);

/* The signal that ended it, or 0. */
static int run_behind(int (*filter)(void), call_fn *call)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (filter() < 0)
			_exit(1);
		call();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	assert_int_equal(WEXITSTATUS(status), 0);
	return 0;
}

static void execute(void)
{
	char *words[] = {NULL};

	execve("/bin/true", words, words);
}

static void bpf_command(int command)
{
	union bpf_attr attr = {0};

	syscall(SYS_bpf, command, &attr, sizeof(attr));
}

static void load_program(void)
{
	bpf_command(BPF_PROG_LOAD);
}

static void create_map(void)
{
	bpf_command(BPF_MAP_CREATE);
}

static void look_up(void)
{
	bpf_command(BPF_MAP_LOOKUP_ELEM);
}

static void query(void)
{
	bpf_command(BPF_PROG_QUERY);
}

static void map_code(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void map_data(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void open_unix(void)
{
	socket(AF_UNIX, SOCK_STREAM, 0);
}

static void notify(void)
{
	socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static void open_netlink(void)
{
	socket(AF_NETLINK, SOCK_RAW, 0);
}

static void open_vsock(void)
{
	socket(AF_VSOCK, SOCK_STREAM, 0);
}

static void type_for_somebody(void)
{
	ioctl(0, TIOCSTI, "x");
}

static void count_waiting(void)
{
	int count;

	ioctl(0, FIONREAD, &count);
}

static void kill_parent(void)
{
	kill(getppid(), 0);
}

static void abort_parent(void)
{
	syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static void trace(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void fork_child(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
}

static void become_nobody(void)
{
	syscall(SYS_setresuid, -1, -1, -1);
}

static void leave_network(void)
{
	unshare(CLONE_NEWNET);
}

/* Of the commands of fcntl, those with which one stops the keeper. */
static void aim_signal(void)
{
	fcntl(0, F_SETOWN, getppid());
}

static void choose_signal(void)
{
	fcntl(0, F_SETSIG, SIGKILL);
}

static void be_signalled(void)
{
	fcntl(0, F_SETFL, O_ASYNC);
}

static void be_signalled_too(void)
{
	int on = 1;

	ioctl(0, FIOASYNC, &on);
}

static void take_lease(void)
{
	fcntl(0, F_SETLEASE, F_WRLCK);
}

static void be_nonblocking(void)
{
	fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
}

static void open_netfilter(void)
{
	socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
}

static void open_stream(void)
{
	socket(AF_INET, SOCK_STREAM, 0);
}

static void open_icmp(void)
{
	socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static void open_any_protocol(void)
{
	socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
}

static void open_tap(void)
{
	socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
}

/* All that the engine opens later on, with the options that it sets. */
static void open_peers(void)
{
	(void)peer_open(FAMILY_IPV4);
	(void)peer_open(FAMILY_IPV6);
}

static void open_wire(void)
{
	struct wire *wire;

	if (wire_open(1, &wire) < 0)
		return;
	(void)wire_listen(wire);
	(void)wire_rejoin(wire);
	wire_close(wire);
}

static void open_carp(void)
{
	socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 112);
	socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 112);
}

static void replace_firewall(void)
{
	setsockopt(0, IPPROTO_IP, 64 /* IPT_SO_SET_REPLACE */, "", 1);
}

static void make_ring(void)
{
	setsockopt(0, SOL_PACKET, PACKET_RX_RING, "", 1);
}

static void join_group(void)
{
	setsockopt(0, IPPROTO_IP, IP_ADD_MEMBERSHIP, "", 1);
}

static void change_link(void)
{
	ioctl(0, SIOCSIFFLAGS, NULL);
}

static void write_sysctl(void)
{
	open("/proc/sys/net/ipv4/ip_forward", O_WRONLY);
}

static void read_sysctl(void)
{
	if (open("/proc/sys/net/ipv4/ip_forward", O_RDONLY | O_CLOEXEC) < 0)
		abort();
}

static void create_file(void)
{
	open("/tmp/x", O_RDONLY | O_CREAT, 0600);
}

static void set_user_bit(void)
{
	fchmod(0, 04755);
}

static void rename_file(void)
{
	rename("/nowhere/a", "/nowhere/b");
}

static void remove_file(void)
{
	unlink("/nowhere/a");
}

static void clone_anew(void)
{
	/* The C library asks this one first, and goes on if it is not there. */
	if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
		abort();
}

static void fork_engine(void)
{
	if (run_behind(sandbox_filter_engine, look_up) != 0 ||
	    run_behind(sandbox_filter_engine, abort) != SIGABRT)
		abort();
}

static void test_engine_has_what_it_needs(void **state)
{
	call_fn *const calls[] = {look_up,        query,      map_data,   open_netlink,
	                          count_waiting,  open_carp,  join_group, read_sysctl,
	                          be_nonblocking, clone_anew, open_peers, open_wire};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		assert_int_equal(run_behind(sandbox_filter_engine, calls[i]), 0);
	assert_int_equal(run_behind(sandbox_filter_engine, abort), SIGABRT);
}

static void test_engine_has_nothing_else(void **state)
{
	call_fn *const calls[] = {
	        execute,      load_program,      create_map,    map_code,         open_unix,
	        open_vsock,   type_for_somebody, kill_parent,   abort_parent,     trace,
	        fork_child,   become_nobody,     leave_network, aim_signal,       choose_signal,
	        be_signalled, be_signalled_too,  take_lease,    open_netfilter,   open_stream,
	        open_icmp,    open_any_protocol, open_tap,      replace_firewall, make_ring,
	        change_link,  write_sysctl,      create_file,   set_user_bit,     rename_file,
	        remove_file};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		print_message("call %zu\n", i);
		assert_int_equal(run_behind(sandbox_filter_engine, calls[i]), SIGSYS);
	}
}

static void test_keeper_can_start_an_engine(void **state)
{
	call_fn *const calls[] = {fork_child,  become_nobody, notify,     fork_engine,
	                          rename_file, remove_file,   clone_anew, be_nonblocking};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		assert_int_equal(run_behind(sandbox_filter_keeper, calls[i]), 0);
}

static void test_keeper_has_less_than_root(void **state)
{
	call_fn *const calls[] = {execute,     load_program,      create_map, map_code,
	                          kill_parent, type_for_somebody, trace,      leave_network,
	                          aim_signal,  choose_signal,     open_icmp,  open_netfilter,
	                          open_unix,   replace_firewall,  make_ring,  set_user_bit};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		print_message("call %zu\n", i);
		assert_int_equal(run_behind(sandbox_filter_keeper, calls[i]), SIGSYS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_engine_has_what_it_needs),
	        cmocka_unit_test(test_engine_has_nothing_else),
	        cmocka_unit_test(test_keeper_can_start_an_engine),
	        cmocka_unit_test(test_keeper_has_less_than_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
