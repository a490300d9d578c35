/*
 * The engine's loop: what wakes it, in which order things are done then, and
 * until when it sleeps (libevent).
 */
#ifndef CARPD_LOOP_H
#define CARPD_LOOP_H

#include "carpd/engine/daemon.h"

struct loop;

/*
 * Watches the channel to the keeper, the control socket and all that daemon has
 * opened; daemon must outlive it.  NULL if there is no memory or descriptor left.
 */
struct loop *loop_open(struct daemon *daemon, int channel, int control_fd);

/* Serves until everything has been given back after a request to stop. */
void loop_run(struct loop *loop);

void loop_close(struct loop *loop);

#endif
