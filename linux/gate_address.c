/*
 * The shared addresses, and the filter that tells nearly all others apart from them.
 */
#include "gate_private.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

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
		__atomic_store_n(&gate->shared->filter.words[i], filter.words[i], __ATOMIC_RELAXED);
}

int gate_add_address(struct gate *gate, int port, uint8_t vhid, const struct address *address)
{
	struct gate_address_key key = address_key(gate->parents[port].link_index, address);
	struct gate_address value = {.vhost = (uint16_t)gate_vhost_index(port, vhid), .vhid = vhid};
	struct gate_address present;

	if (bpf_map_lookup_elem(gate->addresses_fd, &key, &present) == 0)
		return present.vhost == value.vhost ? 0 : -EEXIST;
	if (bpf_map_update_elem(gate->addresses_fd, &key, &value, BPF_NOEXIST) < 0)
		return -errno;
	filter_set(&gate->shared->filter, &key);
	return 0;
}

/* The filter's bit stays until the port is detached: another address may need it, and it costs one lookup. */
int gate_remove_address(struct gate *gate, int port, const struct address *address)
{
	struct gate_address_key key = address_key(gate->parents[port].link_index, address);

	return bpf_map_delete_elem(gate->addresses_fd, &key) < 0 ? -errno : 0;
}

void gate_addresses_forget(struct gate *gate, uint32_t link_index)
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
