/*
 * seccomp.  What is not listed ends the process: a call that the code does not
 * make is made by somebody else.  A name that this machine or this libseccomp
 * does not know is left out, so the lists hold the names of all of them.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/packet.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const engine_calls[] = {
        /* The loop. */
        "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "poll", "ppoll",
        "ppoll_time64", "timerfd_create", "timerfd_settime", "timerfd_settime64", "pipe2", "eventfd2",
        "restart_syscall",
        /* Clocks, where the vDSO has none of them. */
        "clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64", "clock_nanosleep",
        "clock_nanosleep_time64", "gettimeofday", "nanosleep", "time",
        /* Packets, netlink, clients. */
        "accept", "accept4", "bind", "getpeername", "getsockname", "recv", "recvfrom", "recvmmsg",
        "recvmmsg_time64", "recvmsg", "send", "sendmmsg", "sendmsg", "sendto", "shutdown",
        /* What the host forwards, a configuration from the keeper, the log. */
        "access", "close", "faccessat", "faccessat2", "fstat", "fstat64", "fstatat64", "_llseek", "lseek",
        "newfstatat", "pread64", "read", "readlink", "readlinkat", "readv", "stat", "stat64", "statx",
        "write", "writev",
        /* Memory, and the C library's own needs. */
        "brk", "futex", "futex_time64", "getcpu", "getrandom", "madvise", "membarrier", "mremap", "munmap",
        "rseq", "sched_getaffinity", "sched_yield", "set_robust_list", "sigaltstack", "sysinfo", "uname",
        /* Who we are. */
        "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32", "getpid", "getppid", "gettid",
        "getuid", "getuid32",
        /* Signals and the end. */
        "exit", "exit_group", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn"};

/* Beyond the engine's: its own work, and the way of an engine that it forks into its sandbox. */
static const char *const keeper_calls[] = {
        /* Start, watch and collect the engine. */
        "fork", "rt_sigpending", "rt_sigtimedwait", "signalfd4", "socketpair", "wait4", "waitid", "waitpid",
        /* The service manager's socket. */
        "connect",
        /* A configuration that is read again and handed over. */
        "dup", "dup2", "dup3", "getdents", "getdents64", "memfd_create", "open", "openat",
        /* The state directory. */
        "fdatasync", "fsync", "rename", "renameat", "renameat2", "unlink", "unlinkat",
        /* The engine, on time. */
        "getrlimit", "mlockall", "prlimit64", "sched_getparam", "sched_getscheduler", "sched_setscheduler",
        "setrlimit", "ugetrlimit",
        /* The engine, without privileges, behind a filter of its own. */
        "capget", "capset", "prctl", "seccomp", "setgroups", "setgroups32", "setresgid", "setresgid32",
        "setresuid", "setresuid32"};

/* The gate is loaded before; creating maps and loading programs are in neither list. */
static const int engine_bpf[] = {
        BPF_MAP_LOOKUP_ELEM,  BPF_MAP_UPDATE_ELEM,   BPF_MAP_DELETE_ELEM,
        BPF_MAP_GET_NEXT_KEY, BPF_PROG_ATTACH,       BPF_PROG_DETACH,
        BPF_PROG_QUERY,       BPF_PROG_GET_FD_BY_ID, BPF_OBJ_GET_INFO_BY_FD,
};

/* rtnetlink; frames out and adverts in; what holds a membership; adverts to and from peers; who claims an
 * address. */
static const struct kind {
	int domain, type, protocol;
} engine_sockets[] = {
        {AF_NETLINK, SOCK_RAW, NETLINK_ROUTE},
        {AF_PACKET, SOCK_RAW, 0},
        {AF_PACKET, SOCK_DGRAM, 0},
        {AF_INET, SOCK_DGRAM, 0},
        {AF_INET6, SOCK_DGRAM, 0},
        {AF_INET, SOCK_RAW, CARP_PROTOCOL},
        {AF_INET6, SOCK_RAW, CARP_PROTOCOL},
        {AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},
};
static const struct kind keeper_sockets[] = {{AF_UNIX, SOCK_DGRAM, 0}};

/* Those that are set; a firewall's tables and a ring of packets are options of such sockets, too. */
static const struct {
	int level, name;
} socket_options[] = {
        {SOL_SOCKET, SO_ATTACH_FILTER},
        {SOL_SOCKET, SO_RCVBUF},
        {SOL_SOCKET, SO_RCVBUFFORCE},
        {SOL_PACKET, PACKET_ADD_MEMBERSHIP},
        {SOL_PACKET, PACKET_DROP_MEMBERSHIP},
        {SOL_NETLINK, NETLINK_ADD_MEMBERSHIP},
        {SOL_NETLINK, NETLINK_CAP_ACK},
        {SOL_NETLINK, NETLINK_EXT_ACK},
        {SOL_NETLINK, NETLINK_GET_STRICT_CHK},
        {IPPROTO_IP, IP_ADD_MEMBERSHIP},
        {IPPROTO_IP, IP_DROP_MEMBERSHIP},
        {IPPROTO_IP, IP_PKTINFO},
        {IPPROTO_IP, IP_TOS},
        {IPPROTO_IP, IP_TTL},
        {IPPROTO_IPV6, IPV6_JOIN_GROUP},
        {IPPROTO_IPV6, IPV6_LEAVE_GROUP},
        {IPPROTO_IPV6, IPV6_RECVHOPLIMIT},
        {IPPROTO_IPV6, IPV6_RECVPKTINFO},
        {IPPROTO_IPV6, IPV6_UNICAST_HOPS},
        {IPPROTO_ICMPV6, ICMP6_FILTER},
};

/* The others send a signal to whom one likes, among them. */
static const int fcntl_commands[] = {F_GETFD, F_SETFD, F_GETFL};

/* Bytes that wait on a client's socket, and whether a stream is a terminal. */
static const unsigned int ioctls[] = {FIONREAD, TCGETS};

#define CLONE_NAMESPACES                                                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |        \
	 CLONE_NEWNET)

static int allow(scmp_filter_ctx filter, const char *name, unsigned int count,
                 const struct scmp_arg_cmp *conditions)
{
	int call = seccomp_syscall_resolve_name(name);

	return call == __NR_SCMP_ERROR
	               ? 0
	               : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, count, conditions);
}

/* Not with libseccomp's SCMP_A0 and its like, which clang does not take without warnings. */
static struct scmp_arg_cmp argument_is(unsigned int number, uint64_t value)
{
	return (struct scmp_arg_cmp){.arg = number, .op = SCMP_CMP_EQ, .datum_a = value};
}

static struct scmp_arg_cmp argument_lacks(unsigned int number, uint64_t bits)
{
	return (struct scmp_arg_cmp){.arg = number, .op = SCMP_CMP_MASKED_EQ, .datum_a = bits};
}

static int allow_if(scmp_filter_ctx filter, const char *name, struct scmp_arg_cmp condition)
{
	return allow(filter, name, 1, &condition);
}

static int allow_all(scmp_filter_ctx filter, const char *const *names, size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++)
		error = allow(filter, names[i], 0, NULL);
	return error;
}

static int allow_values(scmp_filter_ctx filter, const char *name, const int *values, size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++)
		error = allow_if(filter, name, argument_is(0, (uint64_t)values[i]));
	return error;
}

/* Memory that has been data does not become a program. */
static int allow_memory(scmp_filter_ctx filter)
{
	static const char *const names[] = {"mmap", "mmap2", "mprotect"};
	int error = 0;

	for (size_t i = 0; i < COUNT(names) && error == 0; i++)
		error = allow_if(filter, names[i], argument_lacks(2, PROT_EXEC));
	return error;
}

static int allow_sockets(scmp_filter_ctx filter, const struct kind *kinds, size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++) {
		const struct scmp_arg_cmp conditions[] = {
		        argument_is(0, (uint64_t)kinds[i].domain),
		        {.arg = 1,
		         .op = SCMP_CMP_MASKED_EQ,
		         .datum_a = UINT32_MAX & ~(uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK),
		         .datum_b = (uint64_t)kinds[i].type},
		        argument_is(2, (uint64_t)kinds[i].protocol),
		};
		error = allow(filter, "socket", COUNT(conditions), conditions);
	}
	return error;
}

static int allow_socket_options(scmp_filter_ctx filter)
{
	int error = allow_if(filter, "getsockopt", argument_is(1, SOL_SOCKET));

	for (size_t i = 0; i < COUNT(socket_options) && error == 0; i++) {
		const struct scmp_arg_cmp conditions[] = {
		        argument_is(1, (uint64_t)socket_options[i].level),
		        argument_is(2, (uint64_t)socket_options[i].name),
		};
		error = allow(filter, "setsockopt", COUNT(conditions), conditions);
	}
	return error;
}

static int allow_fcntl(scmp_filter_ctx filter)
{
	static const char *const names[] = {"fcntl", "fcntl64"};
	const struct scmp_arg_cmp set_flags[] = {argument_is(1, F_SETFL), argument_lacks(2, O_ASYNC)};
	int error = 0;

	for (size_t i = 0; i < COUNT(names) && error == 0; i++) {
		for (size_t j = 0; j < COUNT(fcntl_commands) && error == 0; j++)
			error = allow_if(filter, names[i], argument_is(1, (uint64_t)fcntl_commands[j]));
		if (error == 0)
			error = allow(filter, names[i], COUNT(set_flags), set_flags);
	}
	return error;
}

/* Its arguments are in memory, where nobody sees them in time; without it the C library takes clone. */
static int refuse_clone3(scmp_filter_ctx filter)
{
	int call = seccomp_syscall_resolve_name("clone3");

	return call == __NR_SCMP_ERROR
	               ? 0
	               : seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0, NULL);
}

static int allow_common(scmp_filter_ctx filter)
{
	int error = allow_all(filter, engine_calls, COUNT(engine_calls));

	if (error == 0)
		error = allow_memory(filter);
	if (error == 0)
		error = allow_values(filter, "bpf", engine_bpf, COUNT(engine_bpf));
	if (error == 0)
		error = allow_sockets(filter, engine_sockets, COUNT(engine_sockets));
	if (error == 0)
		error = allow_socket_options(filter);
	if (error == 0)
		error = allow_fcntl(filter);
	if (error == 0)
		error = refuse_clone3(filter);
	for (size_t i = 0; i < COUNT(ioctls) && error == 0; i++)
		error = allow_if(filter, "ioctl", argument_is(1, ioctls[i]));
	return error;
}

/* It reads what the kernel says of itself; with its rights it could write there, too. */
static int allow_reading(scmp_filter_ctx filter)
{
	const uint64_t writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
	int error = allow_if(filter, "open", argument_lacks(1, writing));

	return error == 0 ? allow_if(filter, "openat", argument_lacks(2, writing)) : error;
}

static int allow_engine(scmp_filter_ctx filter)
{
	int error = allow_common(filter);

	if (error == 0)
		error = allow_reading(filter);
	/* It may end itself by abort(3), nobody else. */
	return error == 0 ? allow_if(filter, "tgkill", argument_is(0, (uint64_t)getpid())) : error;
}

/* abort(3) of an engine, whose number is not known yet, is for its own filter to narrow. */
static int allow_keeper(scmp_filter_ctx filter)
{
	int error = allow_common(filter);

	if (error == 0)
		error = allow_all(filter, keeper_calls, COUNT(keeper_calls));
	if (error == 0)
		error = allow_sockets(filter, keeper_sockets, COUNT(keeper_sockets));
	if (error == 0)
		error = allow_if(filter, "clone", argument_lacks(0, CLONE_NAMESPACES));
	if (error == 0)
		error = allow_if(filter, "kill", argument_is(1, SIGKILL));
	return error == 0 ? allow_if(filter, "tgkill", argument_is(2, SIGABRT)) : error;
}

static int load(scmp_filter_ctx filter, int error)
{
	/* Also of a machine's other kinds of system calls, such as those of 32 bits. */
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

/* libseccomp says nothing but NULL if it may not ask the kernel; the reason is what a person needs. */
static int begin(scmp_filter_ctx *ret_filter)
{
	const uint32_t action = SECCOMP_RET_KILL_PROCESS;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
		return -errno;
	*ret_filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	return *ret_filter == NULL ? -ENOMEM : 0;
}

int sandbox_filter_engine(void)
{
	scmp_filter_ctx filter = NULL;
	int error = begin(&filter);

	if (error < 0)
		return error;
	return load(filter, allow_engine(filter));
}

int sandbox_filter_keeper(void)
{
	scmp_filter_ctx filter = NULL;
	int error = begin(&filter);

	return error < 0 ? error : load(filter, allow_keeper(filter));
}
