/*
 * What the keeper gives to the engine's process on its way.
 */
#ifndef CARPD_ENDOWMENT_H
#define CARPD_ENDOWMENT_H

#include <sys/types.h>

struct config;
struct gate;

#define GROUP_NOBODY_IS_IN ((gid_t)-1)

struct endowment {
	struct config *config;
	struct gate *gate; /* NULL, and gate_missing says why */
	const char *gate_missing;
	int channel;
	int control_fd;
	uid_t uid;
	gid_t gid;
	gid_t admins; /* members may act on the control socket; GROUP_NOBODY_IS_IN */
};

/* The whole life of the engine's process; returns its exit status. */
int daemon_run(const struct endowment *endowment);

#endif
