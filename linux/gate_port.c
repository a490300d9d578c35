/*
 * Ports: which parent interfaces have the gate, and where in the maps.
 */
#include "gate_private.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(GATE_LAYOUT_PORTS == GATE_PORTS_MAX, "both headers speak of the same ports");
_Static_assert(GATE_LAYOUT_ADDRESSES == GATE_ADDRESSES_MAX, "and of as many addresses");

#define PORT_BYTES (GATE_VHIDS * sizeof(struct gate_vhost))

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

void gate_port_unmap(struct gate *gate, int port)
{
	struct gate_parent *parent = &gate->parents[port];

	if (parent->vhosts)
		munmap((void *)((uintptr_t)parent->vhosts & ~(page_bytes() - 1)), PORT_BYTES);
	*parent = (struct gate_parent){0};
}

/* The pages of a map count as memory of the process, so only those of its own ports are mapped. */
static int port_map(struct gate *gate, int port)
{
	size_t offset = (size_t)port * PORT_BYTES;
	size_t inside = offset & (page_bytes() - 1);
	uint8_t *page;

	if (gate->parents[port].vhosts)
		return 0;
	page = mmap(NULL, inside + PORT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, gate->vhosts_fd,
	            (off_t)(offset - inside));
	if (page == MAP_FAILED)
		return -errno;
	gate->parents[port].vhosts = (struct gate_vhost *)(void *)(page + inside);
	return 0;
}

static int port_find(const struct gate *gate, uint32_t link_index)
{
	struct gate_port entry;

	return bpf_map_lookup_elem(gate->ports_fd, &link_index, &entry) == 0 ? entry.port : -ENOENT;
}

static int port_find_free(const struct gate *gate)
{
	bool taken[GATE_PORTS_MAX] = {false};
	uint32_t key, *previous = NULL;

	while (bpf_map_get_next_key(gate->ports_fd, previous, &key) == 0) {
		int port = port_find(gate, key);

		if (port >= 0)
			taken[port] = true;
		previous = &key;
	}
	for (int port = 0; port < GATE_PORTS_MAX; port++)
		if (!taken[port])
			return port;
	return -ENOSPC;
}

static int port_store(struct gate *gate, int port, int link_index, const struct mac *parent_mac)
{
	uint32_t key = (uint32_t)link_index;
	struct gate_port entry = {.port = (uint8_t)port};

	memcpy(entry.parent_mac, parent_mac->bytes, sizeof(entry.parent_mac));
	return bpf_map_update_elem(gate->ports_fd, &key, &entry, BPF_ANY) < 0 ? -errno : 0;
}

static int port_attach(struct gate *gate, int link_index)
{
	int moved = 0;

	for (int i = 0; i < GATE_DIRECTIONS; i++) {
		enum gate_direction direction = (enum gate_direction)i;
		int result = gate_hook_attach(gate->hook, link_index, direction, &gate->programs[i]);

		if (result < 0)
			return result;
		moved |= result;
	}
	return moved;
}

static void port_detach(struct gate *gate, int link_index)
{
	for (int i = 0; i < GATE_DIRECTIONS; i++)
		(void)gate_hook_detach(gate->hook, link_index, (enum gate_direction)i, &gate->programs[i]);
}

/* Stores zero without mapping, for ports that another process has attached. */
static void port_shut(struct gate *gate, int port, bool forget)
{
	for (int vhid = 0; vhid < GATE_VHIDS; vhid++) {
		uint32_t index = gate_vhost_index(port, (uint8_t)vhid);
		struct gate_vhost vhost;

		if (bpf_map_lookup_elem(gate->vhosts_fd, &index, &vhost) < 0)
			continue;
		if (vhost.lease_end_ns == 0 && (!forget || vhost.flags == 0))
			continue;
		vhost.lease_end_ns = 0;
		if (forget)
			vhost.flags = 0;
		bpf_map_update_elem(gate->vhosts_fd, &index, &vhost, BPF_ANY);
	}
}

static void port_forget(struct gate *gate, int link_index, int port)
{
	uint32_t key = (uint32_t)link_index;

	port_shut(gate, port, true);
	bpf_map_delete_elem(gate->ports_fd, &key);
}

int gate_attach(struct gate *gate, int link_index, const struct mac *parent_mac)
{
	int port = port_find(gate, (uint32_t)link_index);
	int error;

	if (port < 0) {
		port = port_find_free(gate);
		if (port < 0)
			return port;
		port_shut(gate, port, true);
	}
	error = port_map(gate, port);
	if (error == 0)
		error = port_store(gate, port, link_index, parent_mac);
	if (error == 0)
		error = port_attach(gate, link_index);
	if (error < 0) {
		port_detach(gate, link_index);
		port_forget(gate, link_index, port);
		gate_port_unmap(gate, port);
		return error;
	}
	gate->parents[port].link_index = link_index;
	/* Ours is in place, so a predecessor's can go: the address is fenced at every moment. */
	for (int direction = 0; direction < GATE_DIRECTIONS; direction++)
		(void)gate_hook_sweep(link_index, (enum gate_direction)direction, &gate->programs[direction]);
	return port;
}

void gate_set_parent_mac(struct gate *gate, int port, const struct mac *parent_mac)
{
	(void)port_store(gate, port, gate->parents[port].link_index, parent_mac);
}

int gate_check(struct gate *gate, int port)
{
	return port_attach(gate, gate->parents[port].link_index);
}

int gate_clean(void)
{
	struct if_nameindex *links = if_nameindex();
	int cleaned = 0, error = 0;

	if (!links)
		return -errno;
	for (struct if_nameindex *link = links; link->if_index; link++) {
		for (int direction = 0; direction < GATE_DIRECTIONS; direction++) {
			int swept =
			        gate_hook_sweep((int)link->if_index, (enum gate_direction)direction, NULL);

			if (swept < 0 && swept != -ENODEV)
				error = swept;
			else if (swept > 0)
				cleaned += swept;
		}
	}
	if_freenameindex(links);
	return error < 0 ? error : cleaned;
}

void gate_close_all(struct gate *gate)
{
	uint32_t key, *previous = NULL;

	while (bpf_map_get_next_key(gate->ports_fd, previous, &key) == 0) {
		int port = port_find(gate, key);

		if (port >= 0)
			port_shut(gate, port, false);
		previous = &key;
	}
}

void gate_detach(struct gate *gate, int port)
{
	int link_index = gate->parents[port].link_index;

	for (int vhid = 0; vhid < GATE_VHIDS; vhid++)
		gate_close(gate, port, (uint8_t)vhid);
	port_detach(gate, link_index);
	gate_addresses_forget(gate, (uint32_t)link_index);
	port_forget(gate, link_index, port);
	gate_counters_forget(gate, port);
	gate_port_unmap(gate, port);
}

void gate_reset(struct gate *gate)
{
	uint32_t key;

	gate_close_all(gate);
	gate_addresses_forget(gate, 0);
	while (bpf_map_get_next_key(gate->ports_fd, NULL, &key) == 0) {
		int port = port_find(gate, key);

		port_forget(gate, (int)key, port);
		gate_counters_forget(gate, port);
		gate_port_unmap(gate, port);
	}
}
