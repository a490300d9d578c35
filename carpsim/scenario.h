/*
 * A course of events as data: who is there, how the network behaves, and what
 * goes wrong when.  Made from a seed, or read from a file, or written to one, so
 * that a run that failed can be kept even when the making changes.
 */
#ifndef CARPSIM_SCENARIO_H
#define CARPSIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/engine.h"

#define HOSTS_MAX        8
#define GROUPS_MAX       250
#define SEGMENTS_MAX     2
#define DISTURBANCES_MAX 512

enum host_kind { HOST_CARPD, HOST_OPENBSD, HOST_FREEBSD, HOST_UCARP, HOST_KINDS };

const char *host_kind_name(enum host_kind kind);

enum disturbance_kind {
	DISTURB_PAUSE,     /* host, for: its processes stop, its clock runs on (SIGSTOP, starvation) */
	DISTURB_FREEZE,    /* host, for: its clock stops too (a virtual machine being moved) */
	DISTURB_STALL,     /* host, for: it stops between its next decision and the deed */
	DISTURB_CRASH,     /* host: power failure */
	DISTURB_KILL,      /* host: the daemon's processes die, the kernel keeps gate and addresses */
	DISTURB_START,     /* host: after a crash, a kill or a stop */
	DISTURB_STOP,      /* host: service ends in good order */
	DISTURB_HAND_OVER, /* host */
	DISTURB_DEMOTE,    /* host, value */
	DISTURB_UNDEMOTE,  /* host */
	DISTURB_MAINTAIN,  /* host: it is demoted and gives way, until it is demoted no longer */
	DISTURB_UNPLUG,    /* host, segment */
	DISTURB_PLUG,      /* host, segment */
	DISTURB_JAM,       /* host: every send fails */
	DISTURB_UNJAM,     /* host */
	DISTURB_REFUSE,    /* host, count: that many times addresses cannot be taken */
	DISTURB_RELOAD,    /* host, how: its configuration is another one (daemon.h) */
	DISTURB_SNATCH,    /* host: somebody removes an address */
	DISTURB_WALL,      /* host, by: a step of its wall clock */
	DISTURB_CUT,       /* host, host: the second no longer hears the first */
	DISTURB_JOIN,      /* host, host: it does again */
	DISTURB_SPLIT,     /* mask of the hosts on one side */
	DISTURB_HEAL,      /* everybody hears everybody */
	DISTURB_LOSE,      /* per million: of the frames, from now on */
	DISTURBANCE_KINDS
};

struct disturbance {
	int64_t at_ns;
	enum disturbance_kind kind;
	int64_t subject;
	int64_t argument;
};

struct host_plan {
	enum host_kind kind;
	uint8_t advskew;
	int64_t rate; /* its clock gains this many parts in 2^20; within CLOCK_RATE_MAX */
};

/* Two clocks together stay within the margin of the lease, a part in 1000. */
#define CLOCK_RATE_MAX 420

#define LOSSES_UNBOUNDED (-1)

struct scenario {
	uint64_t seed;
	int64_t duration_ns;
	struct host_plan hosts[HOSTS_MAX];
	size_t host_count;
	size_t group_count;
	size_t segment_count;
	uint8_t advbase;
	bool ipv4, ipv6;
	bool unicast;
	bool preempt;
	int64_t preempt_delay_ns;
	int64_t handover_wait_ns;
	enum seal_policy seal;
	bool attacked; /* by somebody without a key */
	/* Of one frame on its way to one host. */
	int64_t delay_ns;
	int64_t jitter_ns; /* on top: 0 to this, each frame for itself, so that they overtake */
	int64_t loss_per_million;
	int64_t duplicate_per_million;
	int64_t losses_in_a_row; /* at most, from one host to another, or LOSSES_UNBOUNDED */
	/* Of addresses that were taken. */
	int64_t routing_ns; /* until the kernel routes them: 0 to this, each time for itself */
	int64_t unrouted_per_million;
	struct disturbance disturbances[DISTURBANCES_MAX];
	size_t disturbance_count;
};

/* A plain one without hosts and disturbances, to be filled in. */
void scenario_clear(struct scenario *scenario);
/* Everything about it follows from the seed. */
void scenario_make(struct scenario *scenario, uint64_t seed, int64_t duration_limit_ns);

/* The advskew of a host in a group: they take turns in being the first. */
uint8_t scenario_advskew(const struct scenario *scenario, size_t host, size_t group);
/* The longest interval at which somebody undemoted advertises. */
int64_t scenario_interval_ns(const struct scenario *scenario);
/* The longest wait of a backup, and the shortest. */
int64_t scenario_patience_ns(const struct scenario *scenario);
int64_t scenario_least_patience_ns(const struct scenario *scenario);
/* The longest way of a frame. */
int64_t scenario_way_ns(const struct scenario *scenario);
bool scenario_is_carpd_only(const struct scenario *scenario);

void scenario_write(const struct scenario *scenario, FILE *file);
/* 0, or the number of the line that is wrong; what is missing keeps a plain value. */
int scenario_read(struct scenario *scenario, FILE *file);

#endif
