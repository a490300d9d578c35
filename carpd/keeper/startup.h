/*
 * What the keeper gives to the engine's process on its way: all that takes root to open or to look up.
 */
#ifndef CARPD_STARTUP_H
#define CARPD_STARTUP_H

#include <stdbool.h>
#include <sys/types.h>

struct config;
struct gate;
struct state_pages;

#define GROUP_NOBODY_IS_IN ((gid_t)-1)

struct startup {
	struct config *config;
	struct gate *gate; /* NULL, and gate_missing says why */
	const char *gate_missing;
	int keeper_sandbox; /* 0, or -errno of a sandbox that was wanted and is not there */
	int channel;        /* to the keeper */
	struct state_pages *pages;
	int control_fd;
	uid_t uid;
	gid_t gid;
	gid_t admins; /* members may act on the control socket; GROUP_NOBODY_IS_IN */
};

/*
 * The control socket, the state directory and whose they are; config is taken
 * over.  False if it cannot be, which the log explains.
 */
bool startup_open(struct startup *startup, struct config *config);

/* Loaded even if no group wants it yet: a reload may, and the engine cannot. */
void startup_load_gate(struct startup *startup);

/* The whole life of the engine's process; returns its exit status. */
int daemon_run(const struct startup *startup);

#endif
