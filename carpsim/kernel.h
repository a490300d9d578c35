/*
 * A host's kernel, as far as the protocol meets it: cables, the interfaces' own
 * addresses, the shared addresses that were taken, the gates.  All of it outlives
 * the daemon.
 */
#ifndef CARPSIM_KERNEL_H
#define CARPSIM_KERNEL_H

#include "core/engine.h"
#include "scenario.h"

struct port {
	bool up;
	struct mac mac;
	struct address ipv4;
	struct address ipv6;
};

/* Of one virtual host. */
struct gate {
	bool open;
	instant end;
	uint64_t advert; /* the number of the advert that it stands on */
};

struct kernel {
	struct port ports[SEGMENTS_MAX];
	size_t group_count;
	struct gate *gates; /* of each unit */
	bool *taken;        /* the addresses of each group */
	int64_t *routed_ns; /* from when on packets to them reach this host */
	int64_t refusals;   /* that many takes fail */
	int64_t refused_ns; /* the last time */
	size_t refused_group;
	bool jammed; /* every send fails */
};

/* local: which of the scenario's hosts it is. */
void kernel_open(struct kernel *kernel, const struct scenario *scenario, size_t local);
void kernel_close(struct kernel *kernel);

/* All gates shut, all shared addresses gone. */
void kernel_clear(struct kernel *kernel);
/* 0 or -errno. */
int kernel_take(struct kernel *kernel, size_t group, int64_t now_ns);
void kernel_drop(struct kernel *kernel, size_t group);
void kernel_open_gate(struct kernel *kernel, size_t unit, instant end);
void kernel_shut_gate(struct kernel *kernel, size_t unit);

bool kernel_routes(const struct kernel *kernel, size_t group, int64_t now_ns);
bool kernel_can_send(const struct kernel *kernel, size_t port);
/* The addresses are there and the gate lets them through. */
bool kernel_serves(const struct kernel *kernel, size_t unit, instant now);
/* A port as the engine is told of it. */
struct parent kernel_parent(const struct kernel *kernel, size_t port);

#endif
