/*
 * What the two processes give up before they meet a packet.
 */
#ifndef CARPD_LINUX_SANDBOX_H
#define CARPD_LINUX_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * The engine: becomes uid and gid, keeps the few capabilities it works with, and
 * can gain no others.  0 or -errno.
 */
int sandbox_drop_privileges(uid_t uid, gid_t gid);

/*
 * Real-time priority and memory that is not swapped out: an advert that comes
 * late is a takeover.  No RLIMIT_RTTIME: under a flood the engine does not sleep for
 * seconds, and must not be killed for it; a loop without end is the keeper's to
 * notice.  Before privileges are dropped.  0 or -errno of what failed first.
 */
int sandbox_be_punctual(void);

#endif
