#include "sandbox.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

/*
 * cap_net_admin: addresses and routes, the bridge's table, attaching the gate.
 * cap_net_raw: the sockets of an interface that appears, or comes back.
 * cap_bpf: the maps of the gate, on an older kernel.
 */
static const char engine_capabilities[] = "cap_net_admin,cap_net_raw=ep";
static const char engine_capabilities_and_maps[] = "cap_net_admin,cap_net_raw,cap_bpf=ep";

/*
 * Before Linux 5.19 no bpf() call works without CAP_BPF where unprivileged BPF is
 * off, not even a look into a map that was inherited, and off it can be switched
 * at any time.  What a capability could do beyond that, the seccomp filter forbids.
 */
static bool maps_take_capability(void)
{
	struct utsname kernel;
	unsigned version, patchlevel;

	return uname(&kernel) == 0 && sscanf(kernel.release, "%u.%u", &version, &patchlevel) == 2 &&
	       (version < 5 || (version == 5 && patchlevel < 19));
}

static int keep_capabilities(const char *text)
{
	cap_t capabilities = cap_from_text(text);
	int error = 0;

	if (capabilities == NULL)
		return -errno;
	if (cap_set_proc(capabilities) < 0)
		error = -errno;
	cap_free(capabilities);
	return error;
}

/* So that not even a set-uid program could bring the others back. */
static void empty_bounding_set(void)
{
	for (cap_value_t capability = 0; cap_get_bound(capability) >= 0; capability++)
		(void)cap_drop_bound(capability);
}

bool sandbox_has_capability(int capability)
{
	cap_t capabilities = cap_get_proc();
	cap_flag_value_t value = CAP_CLEAR;

	if (capabilities == NULL || cap_get_flag(capabilities, capability, CAP_EFFECTIVE, &value) < 0)
		value = CAP_CLEAR;
	cap_free(capabilities);
	return value == CAP_SET;
}

bool sandbox_may_serve(void)
{
	return sandbox_has_capability(CAP_NET_ADMIN) && sandbox_has_capability(CAP_NET_RAW);
}

static int become(uid_t uid, gid_t gid)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	return 0;
}

static int drop_all_but(const char *capabilities, uid_t uid, gid_t gid)
{
	empty_bounding_set();
	/* Who is not root has been made what it should be by the service manager. */
	int error = geteuid() == 0 ? become(uid, gid) : 0;
	if (error == 0)
		error = keep_capabilities(capabilities);
	if (error < 0)
		return error;
	sandbox_hide_memory();
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int sandbox_drop_privileges(uid_t uid, gid_t gid, bool uses_maps)
{
	bool bpf = uses_maps && maps_take_capability();

	return drop_all_but(bpf ? engine_capabilities_and_maps : engine_capabilities, uid, gid);
}

int sandbox_drop_everything(uid_t uid, gid_t gid)
{
	return drop_all_but("=", uid, gid);
}

void sandbox_hide_memory(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* The lowest of the real-time priorities is above everything that is not real-time. */
#define PRIORITY 1

int sandbox_be_punctual(void)
{
	const struct sched_param priority = {.sched_priority = PRIORITY};
	const struct rlimit unlimited = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};

	/* The service manager may have set it, and taken away the right to. */
	if (sched_getscheduler(0) != SCHED_FIFO &&
	    sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority) < 0)
		return -errno;
	/*
	 * What is touched stays; what never is, such as most of a library, need not
	 * be there.  Later memory is locked only where the limit allows any amount:
	 * beyond a limit an allocation would fail.
	 */
	int flags = MCL_CURRENT | MCL_ONFAULT;
	if (setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0)
		flags |= MCL_FUTURE;
	return mlockall(flags) < 0 ? -errno : 0;
}
