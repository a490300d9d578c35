/*
 * What the two processes give up before they meet a packet.
 */
#ifndef CARPD_LINUX_SANDBOX_H
#define CARPD_LINUX_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether this process can serve groups at all: as root, or with the capabilities given to it. */
bool sandbox_may_serve(void);

/* Whether this process may use it now: a number of linux/capability.h. */
bool sandbox_has_capability(int capability);

/*
 * The engine: becomes uid and gid, keeps the few capabilities it works with, and
 * can gain no others; CAP_BPF among them if it uses_maps (of the gate) and the
 * kernel asks for it.  0 or -errno.
 */
int sandbox_drop_privileges(uid_t uid, gid_t gid, bool uses_maps);

/* The same without any capability. */
int sandbox_drop_everything(uid_t uid, gid_t gid);

/*
 * No core dump, and no other process of the same user looks into this one's memory:
 * it holds passphrases and keys.  Children inherit it; a change of user undoes it,
 * so sandbox_drop_privileges sees to it again.
 */
void sandbox_hide_memory(void);

/*
 * Real-time priority and memory that is not swapped out: an advert that comes
 * late is a takeover.  No RLIMIT_RTTIME: under a flood the engine does not sleep for
 * seconds, and must not be killed for it; a loop without end is the keeper's to
 * notice.  Before privileges are dropped.  0 or -errno of what failed first.
 */
int sandbox_be_punctual(void);

/*
 * The system calls that are left from here on; any other ends the process with
 * SIGSYS, and the kernel's log says which it was.  The engine's are those of its
 * loop, after everything was opened that needs more.  The keeper's hold them too,
 * and those with which an engine that it forks comes to its own filter.
 * 0, or -errno of a kernel that has no seccomp, or of a service manager that
 * forbids it.
 */
int sandbox_filter_engine(void);
int sandbox_filter_keeper(void);

#endif
