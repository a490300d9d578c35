/*
 * One host: its clock, its kernel (gate, addresses, cables) and on top a carpd or
 * a peer.  Carries out the engine's actions in the order in which carpd does.
 */
#ifndef CARPSIM_HOST_H
#define CARPSIM_HOST_H

#include "peer.h"
#include "queue.h"
#include "scenario.h"

struct world;

struct port {
	bool up;
	struct mac mac;
	struct address ipv4;
	struct address ipv6;
};

/* Of one virtual host, in the kernel: it outlives the daemon. */
struct gate {
	bool open;
	instant end;
	uint64_t advert; /* the number of the advert that it stands on */
};

struct clock_state {
	int64_t true_ns; /* when it showed: */
	instant shown;
	int64_t rate;
};

/* What arrived while the host was paused, with its arrival time. */
struct waiting {
	struct flight flight;
	instant arrived;
};
#define WAITING_MAX 64

struct host {
	struct world *world;
	size_t index;
	enum host_kind kind;
	struct clock_state clock;
	int64_t wall_offset_ns;
	struct port ports[SEGMENTS_MAX];

	/* The kernel's part. */
	struct gate *gates; /* of each unit */
	bool *taken;        /* the addresses of each group */

	/* carpd */
	struct group_settings *groups;
	struct node_settings *nodes;
	struct address unicast_peers[HOSTS_MAX];
	struct engine_settings settings;
	struct engine *engine; /* NULL: not running */
	struct action *todo;
	uint64_t highest_sequence; /* ever sent, over all restarts */
	uint64_t reserved_sequence;
	struct replay *replays; /* the marks as they were saved */

	/* A peer: its state machines, one for each group. */
	struct peer *peers;

	bool running;
	bool stopping; /* asked to end in good order */
	bool paused;
	bool frozen; /* paused, and its clock with it */
	int64_t paused_until_ns;
	int64_t stall_ns; /* the next decision to advertise waits this long for its deed */
	bool jammed;
	int64_t refusals; /* that many takes fail */
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
void host_undemote(struct host *host);
void host_snatch(struct host *host);
void host_step_wall(struct host *host, int64_t by_ns);

instant host_now(const struct host *host);
enum vhost_state host_state(const struct host *host, size_t unit);
/* It answers for the addresses: they are there, and the gate lets them through. */
bool host_serves(const struct host *host, size_t unit);

#endif
