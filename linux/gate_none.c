/*
 * In place of the gate where it is not built.  gate_load fails, so nobody has a
 * gate to call the rest with; it is there for the linker.
 */
#include "gate.h"

#include <errno.h>

#pragma GCC diagnostic ignored "-Wunused-parameter"

int gate_load(struct gate **ret_gate, const char **ret_why)
{
	*ret_why = "carpd was built without it";
	return -ENOTSUP;
}

int gate_clean(void)
{
	return 0;
}

void gate_unload(struct gate *gate)
{
}

int gate_attach(struct gate *gate, int link_index, const struct mac *parent_mac)
{
	return -ENOTSUP;
}

const char *gate_explain_attach(int error, const char *link_name)
{
	return "carpd was built without it";
}

void gate_reset(struct gate *gate)
{
}

void gate_set_parent_mac(struct gate *gate, int port, const struct mac *parent_mac)
{
}

void gate_detach(struct gate *gate, int port)
{
}

int gate_check(struct gate *gate, int port)
{
	return -ENOTSUP;
}

int gate_watch(struct gate *gate, int port, uint8_t vhid, bool unicast)
{
	return -ENOTSUP;
}

void gate_ignore(struct gate *gate, int port, uint8_t vhid)
{
}

int gate_add_address(struct gate *gate, int port, uint8_t vhid, const struct address *address)
{
	return -ENOTSUP;
}

int gate_remove_address(struct gate *gate, int port, const struct address *address)
{
	return -ENOTSUP;
}

void gate_open(struct gate *gate, int port, uint8_t vhid, instant lease_end)
{
}

void gate_close(struct gate *gate, int port, uint8_t vhid)
{
}

void gate_pass(struct gate *gate, int port, uint8_t vhid, instant end)
{
}

void gate_close_all(struct gate *gate)
{
}

void gate_read_counters(struct gate *gate, int port, uint8_t vhid, struct gate_counters *ret_counters)
{
	*ret_counters = (struct gate_counters){0};
}

int gate_fd(const struct gate *gate)
{
	return -1;
}

int gate_receive(struct gate *gate, gate_received *received, void *context)
{
	return -ENOTSUP;
}

instant gate_hush(struct gate *gate, instant now)
{
	return INSTANT_NEVER;
}

void gate_drain(struct gate *gate)
{
}
