/*
 * Virtual hosts: watched or not, open or shut, and what was counted for them.
 */
#include "gate_private.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

_Static_assert(sizeof(struct gate_counts) == sizeof(struct gate_counters), "the same counters");

int gate_watch(struct gate *gate, int port, uint8_t vhid, bool unicast)
{
	uint32_t index = gate_vhost_index(port, vhid);
	uint32_t flags = unicast ? GATE_VHOST_WATCHED | GATE_VHOST_UNICAST : GATE_VHOST_WATCHED;
	struct gate_counts *all = calloc((size_t)gate->cpus, sizeof(*all));
	int error = 0;

	if (!all)
		return -ENOMEM;
	if (bpf_map_update_elem(gate->counters_fd, &index, all, BPF_NOEXIST) < 0 && errno != EEXIST)
		error = -errno;
	free(all);
	if (error == 0)
		__atomic_store_n(&gate->parents[port].vhosts[vhid].flags, flags, __ATOMIC_RELEASE);
	return error;
}

void gate_ignore(struct gate *gate, int port, uint8_t vhid)
{
	uint32_t index = gate_vhost_index(port, vhid);

	gate_close(gate, port, vhid);
	__atomic_store_n(&gate->parents[port].vhosts[vhid].flags, 0, __ATOMIC_RELEASE);
	bpf_map_delete_elem(gate->counters_fd, &index);
}

static uint64_t *lease_of(struct gate *gate, int port, uint8_t vhid)
{
	/* __u64 is another type than uint64_t on some machines, but the same eight bytes. */
	return (uint64_t *)(void *)&gate->parents[port].vhosts[vhid].lease_end_ns;
}

static uint32_t *flags_of(struct gate *gate, int port, uint8_t vhid)
{
	return &gate->parents[port].vhosts[vhid].flags;
}

void gate_open(struct gate *gate, int port, uint8_t vhid, instant lease_end)
{
	__atomic_and_fetch(flags_of(gate, port, vhid), ~(uint32_t)GATE_VHOST_PASSING, __ATOMIC_RELEASE);
	__atomic_store_n(lease_of(gate, port, vhid), (uint64_t)lease_end.ns, __ATOMIC_RELEASE);
}

void gate_close(struct gate *gate, int port, uint8_t vhid)
{
	__atomic_store_n(lease_of(gate, port, vhid), 0, __ATOMIC_SEQ_CST);
}

void gate_pass(struct gate *gate, int port, uint8_t vhid, instant end)
{
	__atomic_or_fetch(flags_of(gate, port, vhid), GATE_VHOST_PASSING, __ATOMIC_RELEASE);
	__atomic_store_n(lease_of(gate, port, vhid), (uint64_t)end.ns, __ATOMIC_RELEASE);
}

void gate_counters_forget(struct gate *gate, int port)
{
	for (int vhid = 0; vhid < GATE_VHIDS; vhid++) {
		uint32_t index = gate_vhost_index(port, (uint8_t)vhid);

		bpf_map_delete_elem(gate->counters_fd, &index);
	}
}

void gate_read_counters(struct gate *gate, int port, uint8_t vhid, struct gate_counters *ret_counters)
{
	uint32_t index = gate_vhost_index(port, vhid);
	struct gate_counts *all = calloc((size_t)gate->cpus, sizeof(*all));
	struct gate_counters sum = {0};

	if (all && bpf_map_lookup_elem(gate->counters_fd, &index, all) == 0) {
		for (int cpu = 0; cpu < gate->cpus; cpu++) {
			sum.accepted += all[cpu].accepted;
			sum.refused += all[cpu].refused;
			sum.fenced += all[cpu].fenced;
			sum.rewritten += all[cpu].rewritten;
			sum.adverts += all[cpu].adverts;
			sum.adverts_lost += all[cpu].adverts_lost;
			sum.vrrp += all[cpu].vrrp;
		}
	}
	free(all);
	*ret_counters = sum;
}
