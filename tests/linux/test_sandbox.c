/*
 * Each call is made by a child behind the filter: it lives, or SIGSYS ends it.
 */
#include <linux/bpf.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "linux/sandbox.h"

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

static void fork_engine(void)
{
	if (run_behind(sandbox_filter_engine, look_up) != 0 ||
	    run_behind(sandbox_filter_engine, abort) != SIGABRT)
		abort();
}

static void test_engine_has_what_it_needs(void **state)
{
	call_fn *const calls[] = {look_up, query, map_data, open_netlink, count_waiting};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		assert_int_equal(run_behind(sandbox_filter_engine, calls[i]), 0);
	assert_int_equal(run_behind(sandbox_filter_engine, abort), SIGABRT);
}

static void test_engine_has_nothing_else(void **state)
{
	call_fn *const calls[] = {execute,    load_program,      create_map,   map_code,     open_unix,
	                          open_vsock, type_for_somebody, kill_parent,  abort_parent, trace,
	                          fork_child, become_nobody,     leave_network};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		print_message("call %zu\n", i);
		assert_int_equal(run_behind(sandbox_filter_engine, calls[i]), SIGSYS);
	}
}

static void test_keeper_can_start_an_engine(void **state)
{
	call_fn *const calls[] = {fork_child, become_nobody, open_unix, fork_engine};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		assert_int_equal(run_behind(sandbox_filter_keeper, calls[i]), 0);
}

static void test_keeper_has_less_than_root(void **state)
{
	call_fn *const calls[] = {execute,     load_program,      create_map, map_code,
	                          kill_parent, type_for_somebody, trace,      leave_network};

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
