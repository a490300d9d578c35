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
 * Real-time priority and memory that is not swapped out: an advert that comes late is
 * a takeover.  There is no RLIMIT_RTTIME: in a flood the engine does not sleep for seconds,
 * and must not be killed for it.  The keeper notices a loop without end.  To be called before
 * privileges are dropped.  0, or -errno of what failed first.
 */
int sandbox_be_punctual(void);

/*
 * From here on only some system calls are allowed.  Any other ends the process with
 * SIGSYS, and the kernel's log says which it was.  The engine keeps those of its loop:
 * what needs more is open by then.  The keeper keeps these too, and what an engine that it
 * forks needs until its own filter.  0, or -errno if the kernel has no seccomp or the
 * service manager forbids it.
 */
int sandbox_filter_engine(void);
int sandbox_filter_keeper(void);

#endif
