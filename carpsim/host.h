/*
 * One host: a clock, a kernel, and on top carpd or a peer.  Its life from start to
 * stop, and what happens to it meanwhile; when it looks again it says by itself.
 */
#ifndef CARPSIM_HOST_H
#define CARPSIM_HOST_H

#include "daemon.h"
#include "kernel.h"
#include "local_clock.h"
#include "peer.h"
#include "queue.h"
#include "scenario.h"

struct world;

/* What arrived, with its arrival time: it waits while the host is paused. */
struct waiting {
	struct flight flight;
	instant arrived;    /* by the host's clock */
	int64_t arrived_ns; /* in truth */
};
#define WAITING_MAX 64

struct host {
	struct world *world;
	size_t index;
	enum host_kind kind;
	struct local_clock clock;
	int64_t wall_offset_ns;
	int64_t stepped_ns; /* so far its wall clock was set, forth and back, all in all */
	int64_t frozen_ns;  /* so long its clock has stood still, all in all */
	int64_t started_ns; /* the last time */
	struct kernel kernel;
	/* One of the two, by kind. */
	struct daemon daemon;
	struct peer *peers; /* one for each group */

	bool running;
	int asked_demotion;         /* by somebody outside, since the start */
	int64_t maintained_ns;      /* when that was by maintenance; 0: it was not */
	bool gives_way[GROUPS_MAX]; /* what it handed over last it may preempt */
	bool rebooted;              /* since the daemon ran last */
	bool stopping;              /* asked to end in good order */
	bool paused;
	int64_t paused_until_ns;
	int64_t stall_ns; /* the next decision to advertise waits this long for its deed */
	struct waiting waiting[WAITING_MAX];
	size_t waiting_count;
	int64_t wake_at_ns; /* the earliest wake in the queue */
	uint64_t adverts;   /* numbers them, over all units */
	uint64_t adverts_at_freeze;
};

void host_open(struct host *host, struct world *world, size_t index);
/* Once all hosts are open, since some must know the addresses of the others. */
void host_configure(struct host *host);
void host_close(struct host *host);

/* Events. */
void host_start(struct host *host);
void host_stop(struct host *host);
void host_kill(struct host *host);
void host_crash(struct host *host);
void host_wake(struct host *host);
void host_arrived(struct host *host, const struct flight *flight);
void host_pause(struct host *host, int64_t span_ns, bool freeze);
void host_resume(struct host *host);
void host_plug(struct host *host, size_t port, bool up);
void host_hand_over(struct host *host);
void host_demote(struct host *host, int value);
/* As carpctl maintenance on; a host of another make is left alone. */
void host_maintain(struct host *host);
void host_undemote(struct host *host);
void host_reload(struct host *host, unsigned configured);
void host_snatch(struct host *host);
void host_step_wall(struct host *host, int64_t by_ns);

/* A frame of host's latest advert leaves; to as for network_send. */
void host_send(struct host *host, size_t unit, size_t port, const uint8_t *frame, size_t length,
               const struct address *to);

instant host_now(const struct host *host);
enum vhost_state host_state(const struct host *host, size_t unit);
/* It answers for the addresses. */
bool host_serves(const struct host *host, size_t unit);

#endif
