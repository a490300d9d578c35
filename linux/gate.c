#include "gate_private.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gate_skel.h"

_Static_assert(GATE_LAYOUT_PORTS == GATE_PORTS_MAX, "both headers speak of the same ports");
_Static_assert(sizeof(struct gate_counts) == sizeof(struct gate_counters), "the same counters");

#define PORT_BYTES (GATE_VHIDS * sizeof(struct gate_vhost))

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static uint32_t vhost_index(int port, uint8_t vhid)
{
	return (uint32_t)port * GATE_VHIDS + vhid;
}

static void *map_shared(int fd, size_t bytes, off_t offset)
{
	void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	return mapped == MAP_FAILED ? NULL : mapped;
}

/*
 * Loading.
 */

static int program_keep(int fd, struct gate_program *ret_program)
{
	struct bpf_prog_info info = {0};
	uint32_t bytes = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &bytes) < 0)
		return -errno;
	ret_program->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	ret_program->id = info.id;
	return ret_program->fd < 0 ? -errno : 0;
}

static int map_keep(const struct bpf_map *map)
{
	return fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 0);
}

/* Takes over what stays when the skeleton, some hundred kilobytes, is thrown away. */
static int gate_keep(struct gate *gate, const struct gate_bpf *object)
{
	int error = program_keep(bpf_program__fd(object->progs.carpd_gate_in), &gate->programs[GATE_IN]);

	if (error == 0)
		error = program_keep(bpf_program__fd(object->progs.carpd_gate_out),
		                     &gate->programs[GATE_OUT]);
	gate->ports_fd = map_keep(object->maps.ports);
	gate->vhosts_fd = map_keep(object->maps.vhosts);
	gate->addresses_fd = map_keep(object->maps.addresses);
	gate->counters_fd = map_keep(object->maps.counters);
	gate->filter_fd = map_keep(object->maps.bss);
	gate->ring_fd = map_keep(object->maps.ring);
	if (error == 0 && (gate->ports_fd < 0 || gate->vhosts_fd < 0 || gate->addresses_fd < 0 ||
	                   gate->counters_fd < 0 || gate->filter_fd < 0 || gate->ring_fd < 0))
		error = -EMFILE;
	return error;
}

static int gate_map(struct gate *gate)
{
	gate->filter = map_shared(gate->filter_fd, sizeof(*gate->filter), 0);
	if (!gate->filter)
		return -errno;
	return gate_ring_open(gate);
}

static struct gate *gate_new(void)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (!gate)
		return NULL;
	gate->programs[GATE_IN].fd = gate->programs[GATE_OUT].fd = -1;
	gate->ports_fd = gate->vhosts_fd = gate->addresses_fd = -1;
	gate->counters_fd = gate->filter_fd = gate->ring_fd = -1;
	gate->cpus = libbpf_num_possible_cpus();
	gate->hook = gate_hook_probe();
	return gate;
}

static const char *load_failure(int error)
{
	switch (error) {
	case -EPERM:
	case -EACCES:
		return "loading it takes CAP_BPF and CAP_NET_ADMIN, and a kernel that is not locked down";
	case -ENOSYS:
		return "the kernel has no BPF";
	case -ENOMEM:
		return "out of memory, or of locked memory";
	default:
		return "the kernel did not accept the program; Linux 5.10 or later is needed";
	}
}

static int gate_load_object(struct gate *gate, const char **ret_why)
{
	struct gate_bpf *object;
	int error;

	libbpf_set_print(NULL);
	object = gate_bpf__open_and_load();
	if (!object) {
		error = errno ? -errno : -EINVAL;
		*ret_why = load_failure(error);
		return error;
	}
	error = gate_keep(gate, object);
	gate_bpf__destroy(object);
	malloc_trim(0);
	if (error == 0)
		error = gate_map(gate);
	if (error < 0)
		*ret_why = "its maps could not be kept open or mapped";
	return error;
}

int gate_load(struct gate **ret_gate, const char **ret_why)
{
	struct gate *gate = gate_new();
	int error;

	if (!gate) {
		*ret_why = "out of memory";
		return -ENOMEM;
	}
	error = gate_load_object(gate, ret_why);
	if (error < 0) {
		gate_unload(gate);
		return error;
	}
	*ret_gate = gate;
	return 0;
}

static void fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void port_unmap(struct gate *gate, int port)
{
	struct gate_parent *parent = &gate->parents[port];

	if (parent->vhosts)
		munmap((void *)((uintptr_t)parent->vhosts & ~(page_bytes() - 1)), PORT_BYTES);
	*parent = (struct gate_parent){0};
}

void gate_unload(struct gate *gate)
{
	if (!gate)
		return;
	for (int port = 0; port < GATE_PORTS_MAX; port++)
		port_unmap(gate, port);
	gate_ring_close(gate);
	if (gate->filter)
		munmap(gate->filter, sizeof(*gate->filter));
	for (int direction = 0; direction < GATE_DIRECTIONS; direction++)
		fd_close(gate->programs[direction].fd);
	fd_close(gate->ports_fd);
	fd_close(gate->vhosts_fd);
	fd_close(gate->addresses_fd);
	fd_close(gate->counters_fd);
	fd_close(gate->filter_fd);
	fd_close(gate->ring_fd);
	free(gate);
}

/*
 * Ports.
 */

/* The pages of a map count as memory of the process, so only those of its own ports are mapped. */
static int port_map(struct gate *gate, int port)
{
	size_t offset = (size_t)port * PORT_BYTES;
	size_t inside = offset & (page_bytes() - 1);
	uint8_t *page;

	if (gate->parents[port].vhosts)
		return 0;
	page = map_shared(gate->vhosts_fd, inside + PORT_BYTES, (off_t)(offset - inside));
	if (!page)
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

/* Stores zero without mapping, for ports that another process has attached. */
static void port_shut(struct gate *gate, int port, bool forget)
{
	for (int vhid = 0; vhid < GATE_VHIDS; vhid++) {
		uint32_t index = vhost_index(port, (uint8_t)vhid);
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
		port_forget(gate, link_index, port);
		port_unmap(gate, port);
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

/*
 * Shared addresses.
 */

static struct gate_address_key address_key(int link_index, const struct address *address)
{
	struct gate_address_key key = {.link_index = (uint32_t)link_index, .family = address->family};

	memcpy(key.words, address->bytes, address_bytes(address));
	return key;
}

static void filter_set(struct gate_filter *filter, const struct gate_address_key *key)
{
	uint32_t bit = key->family == FAMILY_IPV4 ? gate_filter_bit_ipv4(key->words[0])
	                                          : gate_filter_bit_ipv6(key->words);

	filter->words[bit / 64] |= UINT64_C(1) << (bit % 64);
}

/* The bits of addresses that remain are set at every moment. */
static void filter_rebuild(struct gate *gate)
{
	struct gate_filter filter = {0};
	struct gate_address_key key, *previous = NULL;

	while (bpf_map_get_next_key(gate->addresses_fd, previous, &key) == 0) {
		filter_set(&filter, &key);
		previous = &key;
	}
	for (size_t i = 0; i < sizeof(filter.words) / sizeof(filter.words[0]); i++)
		__atomic_store_n(&gate->filter->words[i], filter.words[i], __ATOMIC_RELAXED);
}

int gate_add_address(struct gate *gate, int port, uint8_t vhid, const struct address *address)
{
	struct gate_address_key key = address_key(gate->parents[port].link_index, address);
	struct gate_address value = {.vhost = (uint16_t)vhost_index(port, vhid), .vhid = vhid};
	struct gate_address present;

	if (bpf_map_lookup_elem(gate->addresses_fd, &key, &present) == 0)
		return present.vhost == value.vhost ? 0 : -EEXIST;
	if (bpf_map_update_elem(gate->addresses_fd, &key, &value, BPF_NOEXIST) < 0)
		return -errno;
	filter_set(gate->filter, &key);
	return 0;
}

/* The filter's bit stays until the port is detached: another address may need it, and it costs one lookup. */
int gate_remove_address(struct gate *gate, int port, const struct address *address)
{
	struct gate_address_key key = address_key(gate->parents[port].link_index, address);

	return bpf_map_delete_elem(gate->addresses_fd, &key) < 0 ? -errno : 0;
}

/* link_index 0 stands for all. */
static void addresses_forget(struct gate *gate, uint32_t link_index)
{
	struct gate_address_key key, previous;
	bool is_first = true;

	/* A deleted key would start the walk again, so the one before it is remembered. */
	while (bpf_map_get_next_key(gate->addresses_fd, is_first ? NULL : &previous, &key) == 0) {
		if (link_index == 0 || key.link_index == link_index) {
			bpf_map_delete_elem(gate->addresses_fd, &key);
			continue;
		}
		previous = key;
		is_first = false;
	}
	filter_rebuild(gate);
}

/*
 * Virtual hosts.
 */

int gate_watch(struct gate *gate, int port, uint8_t vhid, bool unicast)
{
	uint32_t index = vhost_index(port, vhid);
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
	uint32_t index = vhost_index(port, vhid);

	gate_close(gate, port, vhid);
	__atomic_store_n(&gate->parents[port].vhosts[vhid].flags, 0, __ATOMIC_RELEASE);
	bpf_map_delete_elem(gate->counters_fd, &index);
}

static uint64_t *lease_of(struct gate *gate, int port, uint8_t vhid)
{
	/* __u64 is another type than uint64_t on some machines, but the same eight bytes. */
	return (uint64_t *)(void *)&gate->parents[port].vhosts[vhid].lease_end_ns;
}

void gate_open(struct gate *gate, int port, uint8_t vhid, instant lease_end)
{
	__atomic_store_n(lease_of(gate, port, vhid), (uint64_t)lease_end.ns, __ATOMIC_RELEASE);
}

void gate_close(struct gate *gate, int port, uint8_t vhid)
{
	__atomic_store_n(lease_of(gate, port, vhid), 0, __ATOMIC_SEQ_CST);
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

static void counters_forget(struct gate *gate, int port)
{
	for (int vhid = 0; vhid < GATE_VHIDS; vhid++) {
		uint32_t index = vhost_index(port, (uint8_t)vhid);

		bpf_map_delete_elem(gate->counters_fd, &index);
	}
}

void gate_detach(struct gate *gate, int port)
{
	int link_index = gate->parents[port].link_index;

	for (int vhid = 0; vhid < GATE_VHIDS; vhid++)
		gate_close(gate, port, (uint8_t)vhid);
	for (int i = 0; i < GATE_DIRECTIONS; i++)
		(void)gate_hook_detach(gate->hook, link_index, (enum gate_direction)i, &gate->programs[i]);
	addresses_forget(gate, (uint32_t)link_index);
	port_forget(gate, link_index, port);
	counters_forget(gate, port);
	port_unmap(gate, port);
}

void gate_reset(struct gate *gate)
{
	uint32_t key;

	gate_close_all(gate);
	addresses_forget(gate, 0);
	while (bpf_map_get_next_key(gate->ports_fd, NULL, &key) == 0) {
		int port = port_find(gate, key);

		port_forget(gate, (int)key, port);
		counters_forget(gate, port);
		port_unmap(gate, port);
	}
}

void gate_read_counters(struct gate *gate, int port, uint8_t vhid, struct gate_counters *ret_counters)
{
	uint32_t index = vhost_index(port, vhid);
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
