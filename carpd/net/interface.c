#include "interface.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carpd/log/log.h"
#include "carpd/config/runtime.h"

struct interface *interfaces_find(struct interfaces *interfaces, int link_index)
{
	for (size_t i = 0; i < interfaces->count; i++)
		if (interfaces->list[i].link.index == link_index && link_index != 0)
			return &interfaces->list[i];
	return NULL;
}

struct interface *interfaces_find_name(struct interfaces *interfaces, const char *name)
{
	for (size_t i = 0; i < interfaces->count; i++)
		if (strcmp(interfaces->list[i].name, name) == 0)
			return &interfaces->list[i];
	return NULL;
}

int interfaces_create(struct interfaces *interfaces, const struct runtime *runtime, struct interfaces *old)
{
	interfaces->count = runtime->settings.parent_count;
	interfaces->list = calloc(interfaces->count, sizeof(interfaces->list[0]));
	if (interfaces->list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < interfaces->count; i++) {
		struct interface *interface = &interfaces->list[i];
		struct interface *before =
		        old == NULL ? NULL : interfaces_find_name(old, runtime->parent_names[i]);
		if (before != NULL) {
			*interface = *before;
			memset(before, 0, sizeof(*before));
			before->gate_port = -1;
		} else {
			snprintf(interface->name, sizeof(interface->name), "%s", runtime->parent_names[i]);
			interface->gate_port = -1;
			interface->gate_fight.put_back_at = INSTANT_NEVER;
		}
	}
	if (old != NULL) {
		interfaces->gate = old->gate;
		interfaces->gate_missing = old->gate_missing;
		interfaces->fd_limit = old->fd_limit;
	}
	return 0;
}

void interfaces_free(struct interfaces *interfaces)
{
	for (size_t i = 0; i < interfaces->count; i++) {
		interface_detach(interfaces, &interfaces->list[i]);
		address_list_free(&interfaces->list[i].ours);
		address_list_free(&interfaces->list[i].others);
		address_list_free(&interfaces->list[i].subnets);
		free(interfaces->list[i].refusals);
	}
	free(interfaces->list);
	interfaces->list = NULL;
	interfaces->count = 0;
}

bool interface_note_address(struct interface *interface, const struct rtnl_address *address, bool gone)
{
	bool ours = address->protocol == RTNL_ADDRESS_PROTOCOL;
	/* It may have changed hands. */
	bool left = address_list_remove(ours ? &interface->others : &interface->ours, address);

	if (!gone)
		return address_list_add(ours ? &interface->ours : &interface->others, address);
	return address_list_remove(ours ? &interface->ours : &interface->others, address) || left;
}

void interface_forget_addresses(struct interface *interface)
{
	interface->ours.count = interface->others.count = 0;
}

bool interface_has_address(const struct interface *interface, const struct address *address)
{
	return address_list_find(&interface->ours, address) != NULL ||
	       address_list_find(&interface->others, address) != NULL;
}

const struct rtnl_address *interface_stranger(const struct interface *interface,
                                              const struct address *address)
{
	const struct rtnl_address *longest = NULL;

	for (const struct rtnl_address *there = address_list_find(&interface->others, address); there != NULL;
	     there = address_list_next(&interface->others, there))
		longest = there;
	return longest;
}

const char *interface_describe_stranger(const struct interface *interface,
                                        const struct rtnl_address *stranger, char text[TEXT_SENTENCE_MAX])
{
	char address[TEXT_ADDRESS_MAX];
	unsigned length = stranger->address.prefix_length;

	text_address(&stranger->address.address, address);
	snprintf(text, TEXT_SENTENCE_MAX,
	         "%s/%u on %s was not added by carpd and stays when another host is master, so that two have "
	         "it; remove it: ip addr del %s/%u dev %s",
	         address, length, interface->name, address, length, interface->name);
	return text;
}

bool interface_is_own(const struct rtnl_address *address, const struct runtime *runtime)
{
	if (address->protocol == RTNL_ADDRESS_PROTOCOL)
		return false;
	for (size_t g = 0; g < runtime->settings.group_count; g++)
		if (runtime_shares(&runtime->groups[g], &address->address.address))
			return false;
	return true;
}

bool interface_has_own_ipv4(const struct interface *interface, const struct runtime *runtime)
{
	for (size_t i = 0; i < interface->others.count; i++)
		if (interface->others.list[i].address.address.family == FAMILY_IPV4 &&
		    interface_is_own(&interface->others.list[i], runtime))
			return true;
	return false;
}

bool interface_same_subnet(const struct shared_address *subnet, const struct address *address)
{
	unsigned bits = subnet->prefix_length;
	unsigned whole = bits / 8, rest = bits % 8;
	unsigned mask = (0xff00u >> rest) & 0xffu;

	if (subnet->address.family != address->family ||
	    memcmp(subnet->address.bytes, address->bytes, whole) != 0)
		return false;
	return rest == 0 || ((subnet->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

const struct shared_address *interface_own_in(const struct interface *interface,
                                              const struct runtime *runtime,
                                              const struct shared_address *subnet)
{
	const struct shared_address *found = NULL;

	for (size_t i = 0; i < interface->others.count; i++) {
		const struct shared_address *own = &interface->others.list[i].address;
		if (!interface_is_own(&interface->others.list[i], runtime) ||
		    own->prefix_length == 8 * address_bytes(&own->address) ||
		    !(interface_same_subnet(own, &subnet->address) ||
		      interface_same_subnet(subnet, &own->address)))
			continue;
		if (found == NULL || own->prefix_length == subnet->prefix_length)
			found = own;
	}
	return found;
}

static bool on_interface(const struct runtime *runtime, size_t group, const struct interface *interface)
{
	return strcmp(runtime->config->groups[group].interface, interface->name) == 0;
}

bool interface_is_leaving(const struct interface *interface)
{
	return interface->renamed || (interface->taker != 0 && interface->wire != NULL);
}

struct parent interface_as_parent(const struct interface *interface)
{
	return (struct parent){
	        .up = interface->link.index != 0 && interface->link.up && interface->wire != NULL &&
	              !interface_is_leaving(interface) && interface->problem[0] == '\0',
	        .mac = interface->link.mac,
	        .router = interface->router,
	};
}

static bool virtual_possible(const struct interfaces *interfaces, const struct interface *interface)
{
	return interfaces->gate != NULL && interface->link.kind != LINK_NO_VIRTUAL_MAC &&
	       interface->gate_refused[0] == '\0';
}

static const char *why_not_virtual(const struct interfaces *interfaces, const struct interface *interface,
                                   char text[64])
{
	if (interfaces->gate == NULL)
		return interfaces->gate_missing;
	if (interface->gate_refused[0] != '\0')
		return interface->gate_refused;
	snprintf(text, 64, "a %s cannot carry a second MAC", interface->link.kind_name);
	return text;
}

static bool wants_virtual(const struct interfaces *interfaces, const struct interface *interface,
                          const struct config_group *config)
{
	switch (config->mac) {
	case CONFIG_MAC_VIRTUAL:
		return true;
	case CONFIG_MAC_AUTO:
		return virtual_possible(interfaces, interface);
	case CONFIG_MAC_INTERFACE:
		return false;
	}
	return false;
}

static bool uses_gate(const struct interfaces *interfaces, const struct interface *interface,
                      const struct runtime *runtime)
{
	for (size_t i = 0; i < runtime->settings.group_count; i++)
		if (on_interface(runtime, i, interface) &&
		    wants_virtual(interfaces, interface, &runtime->config->groups[i]))
			return virtual_possible(interfaces, interface);
	return false;
}

/* The gate would go on to fence the addresses of a group that has done with it. */
static void withdraw(struct interfaces *interfaces, struct interface *interface,
                     const struct config_group *config)
{
	for (size_t i = 0; i < config->address_count; i++)
		(void)gate_remove_address(interfaces->gate, interface->gate_port,
		                          &config->addresses[i].address);
}

/* What the gate does not know it would not fence. */
static void no_room(struct interfaces *interfaces, struct interface *interface, struct group *group,
                    const struct config_group *config, int error)
{
	withdraw(interfaces, interface, config);
	group->virtual_mac = false;
	group->out_of_service = config->mac == CONFIG_MAC_VIRTUAL;
	log_error("group %s: the gate has no room for it: %s; it has room for %d addresses; %s", config->name,
	          strerror(-error), GATE_ADDRESSES_MAX,
	          group->out_of_service ? "the group stays out of service" : "using the interface's MAC");
}

static void attach_group(struct interfaces *interfaces, struct interface *interface, struct group *group,
                         const struct config_group *config, bool opened)
{
	bool accepted = group->virtual_mac && !opened;
	bool wanted = wants_virtual(interfaces, interface, config);
	struct mac mac = mac_virtual(config->vhid);
	char why[64];

	group->virtual_mac = wanted && interface->gate_port >= 0;
	/* A group that must have the virtual MAC and cannot is kept out of service. */
	group->out_of_service = wanted && interface->gate_port < 0;
	if (config->mac == CONFIG_MAC_AUTO && !group->virtual_mac)
		log_notice("group %s: using the MAC of %s instead of the virtual one: %s", config->name,
		           interface->name, why_not_virtual(interfaces, interface, why));
	if (group->out_of_service)
		log_error("group %s: mac = virtual is not possible on %s: %s; say mac = interface, or auto",
		          config->name, interface->name, why_not_virtual(interfaces, interface, why));
	if (interface->gate_port < 0)
		return;
	/* Once the gate is there it receives for all groups of the interface. */
	int error = gate_watch(interfaces->gate, interface->gate_port, config->vhid, config->peer_count > 0);
	if (!group->virtual_mac) {
		withdraw(interfaces, interface, config);
		if (accepted)
			wire_refuse_mac(interface->wire, &mac);
		return;
	}
	for (size_t i = 0; i < config->address_count && error == 0; i++)
		error = gate_add_address(interfaces->gate, interface->gate_port, config->vhid,
		                         &config->addresses[i].address);
	if (error < 0) {
		no_room(interfaces, interface, group, config, error);
		return;
	}
	if (interface->link.kind != LINK_BRIDGE && !accepted)
		wire_accept_mac(interface->wire, &mac);
}

static void set_problem(struct interface *interface, const char *what, int error)
{
	snprintf(interface->problem, sizeof(interface->problem), "%s: %s%s", what, strerror(-error),
	         error == -EMFILE ? "; raise the hard limit of open files (LimitNOFILE=)" : "");
	log_error("%s: %s", interface->name, interface->problem);
}

/* Left to the loop, the state directory and clients: without these the engine could not run at all. */
#define FDS_RESERVED 16

static int check_room(const struct interfaces *interfaces, const struct interface *interface)
{
	return wire_highest_fd(interface->wire) < interfaces->fd_limit - FDS_RESERVED ? 0 : -EMFILE;
}

static int open_wire(struct interfaces *interfaces, struct interface *interface,
                     const struct runtime *runtime)
{
	int error = wire_open(interface->link.index, &interface->wire);

	if (error == 0)
		error = check_room(interfaces, interface);
	if (error < 0) {
		set_problem(interface, "cannot open a socket on it", error);
		return error;
	}
	if (uses_gate(interfaces, interface, runtime)) {
		interface->gate_port =
		        gate_attach(interfaces->gate, interface->link.index, &interface->link.mac);
		if (interface->gate_port >= 0)
			return 0;
		interface_refuse_gate(interface, interface->gate_port);
	}
	error = wire_listen(interface->wire);
	if (error == 0)
		error = check_room(interfaces, interface);
	if (error < 0)
		set_problem(interface, "cannot listen on it", error);
	interface->listening = error == 0;
	return error;
}

void interface_attach(struct interfaces *interfaces, struct interface *interface, struct runtime *runtime,
                      instant now)
{
	if (interface->wire == NULL)
		interface->gate_refused[0] = '\0';
	bool opened = interface->wire == NULL ||
	              uses_gate(interfaces, interface, runtime) != (interface->gate_port >= 0);

	if (opened || interface->taker != 0)
		interface_detach(interfaces, interface);
	interface->problem[0] = '\0';
	if (interface->link.index == 0 || interface->taker != 0)
		return;
	if (interface->link.kind == LINK_NOT_ETHERNET) {
		snprintf(interface->problem, sizeof(interface->problem), "is not an Ethernet interface");
		log_error("%s: %s; CARP needs one", interface->name, interface->problem);
		return;
	}
	if (opened && open_wire(interfaces, interface, runtime) < 0) {
		interface_detach(interfaces, interface);
		return;
	}
	for (size_t i = 0; i < runtime->settings.group_count; i++) {
		struct group *group = &runtime->engine->groups[i];
		bool was_virtual = group->virtual_mac;
		if (!on_interface(runtime, i, interface))
			continue;
		attach_group(interfaces, interface, group, &runtime->config->groups[i], opened);
		if (group->virtual_mac != was_virtual)
			engine_mac_changed(runtime->engine, group, now);
	}
}

void interface_release(struct interfaces *interfaces, struct interface *interface, uint8_t vhid,
                       const struct address *address)
{
	struct mac mac = mac_virtual(vhid);

	if (interface->gate_port < 0)
		return;
	if (address != NULL) {
		gate_remove_address(interfaces->gate, interface->gate_port, address);
		return;
	}
	gate_ignore(interfaces->gate, interface->gate_port, vhid);
	if (interface->link.kind != LINK_BRIDGE)
		wire_refuse_mac(interface->wire, &mac);
}

void interface_refuse_gate(struct interface *interface, int error)
{
	snprintf(interface->gate_refused, sizeof(interface->gate_refused), "%s",
	         gate_explain_attach(error, interface->name));
}

void interface_detach(struct interfaces *interfaces, struct interface *interface)
{
	if (interface->gate_port >= 0)
		gate_detach(interfaces->gate, interface->gate_port);
	interface->gate_port = -1;
	if (interface->wire != NULL)
		wire_close(interface->wire);
	interface->wire = NULL;
	interface->listening = false;
}
