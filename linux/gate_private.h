/*
 * The inside of a gate, for its parts and its tests: gate_load.c makes it, gate_port.c knows the parent
 * interfaces, gate_address.c the shared addresses, gate_vhost.c the virtual hosts, gate_ring.c the adverts.
 */
#ifndef CARPD_LINUX_GATE_PRIVATE_H
#define CARPD_LINUX_GATE_PRIVATE_H

#include "gate.h"
#include "gate_hook.h"
#include "gate_layout.h"

/*
 * What a process knows of a port that it attached itself.  It does not know the ports of
 * the process that it was forked from, or that it forked: these are in the maps only.
 */
struct gate_parent {
	int link_index; /* 0: not attached by this process */
	struct gate_vhost *vhosts;
};

struct gate {
	enum gate_hook hook;
	struct gate_program programs[GATE_DIRECTIONS];
	int ports_fd, vhosts_fd, addresses_fd, counters_fd, shared_fd, ring_fd;
	int cpus;
	struct gate_shared *shared;
	struct gate_parent parents[GATE_PORTS_MAX];

	uint64_t *ring_consumed;       /* written by us, position in bytes */
	const uint64_t *ring_produced; /* written by the kernel */
	/*
	 * Only a window of the ring's data is mapped.  All of it would count as memory of the
	 * process: a megabyte that is nearly always empty.
	 */
	const uint8_t *window;
	size_t window_bytes;
	uint64_t window_start; /* position */
};

/* Where a virtual host stands in the maps. */
static inline uint32_t gate_vhost_index(int port, uint8_t vhid)
{
	return (uint32_t)port * GATE_VHIDS + vhid;
}

/* Why it was not loaded: the verifier's log of that program, or what failed without one. */
const char *gate_explain_refusal(const char *program, const char *log);
const char *gate_explain_load(int error);

/* 0 or -errno. */
int gate_ring_open(struct gate *gate);
void gate_ring_close(struct gate *gate);

/* Lets go of the port's page, if this process has mapped it. */
void gate_port_unmap(struct gate *gate, int port);
/* Those of one parent interface, or all (link_index 0). */
void gate_addresses_forget(struct gate *gate, uint32_t link_index);
void gate_counters_forget(struct gate *gate, int port);

#endif
