/* The inside of a gate, for gate.c and its tests. */
#ifndef CARPD_LINUX_GATE_PRIVATE_H
#define CARPD_LINUX_GATE_PRIVATE_H

#include "gate.h"
#include "gate_hook.h"
#include "gate_layout.h"

/*
 * What a process knows of a port that it attached itself.  A forked process has
 * a copy that says nothing of the other's ports: the truth is in the maps.
 */
struct gate_parent {
	int link_index; /* 0: not attached by this process */
	struct gate_vhost *vhosts;
};

struct gate {
	enum gate_hook hook;
	struct gate_program programs[GATE_DIRECTIONS];
	int ports_fd, vhosts_fd, addresses_fd, counters_fd, filter_fd, ring_fd;
	int cpus;
	struct gate_filter *filter;
	struct gate_parent parents[GATE_PORTS_MAX];

	uint64_t *ring_consumed;       /* written by us, position in bytes */
	const uint64_t *ring_produced; /* written by the kernel */
	/*
	 * Only a window of the ring's data is mapped: all its pages would count as
	 * memory of the process, a megabyte that is nearly always empty.
	 */
	const uint8_t *window;
	size_t window_bytes;
	uint64_t window_start; /* position */
};

/* gate_ring.c: 0 or -errno. */
int gate_ring_open(struct gate *gate);
void gate_ring_close(struct gate *gate);

#endif
