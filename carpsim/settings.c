#include "settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "memory.h"
#include "world.h"

#define GRACE_NS (60 * NS_PER_S)

static const char *const port_names[SEGMENTS_MAX] = {"eth0", "eth1"};
static const struct passphrase passphrase = {.bytes = "simulated", .length = 9};

/* On all hosts the same: 10.0.G.1 and fd00::G:1 for group G. */
static struct shared_address *new_shared_addresses(const struct scenario *scenario, size_t group)
{
	struct shared_address *addresses = memory_new(2, sizeof(*addresses));
	size_t count = 0;

	if (scenario->ipv4)
		addresses[count++] = (struct shared_address){
		        .address = {.family = FAMILY_IPV4, .bytes = {10, 0, (uint8_t)group, 1}},
		        .prefix_length = 24};
	if (scenario->ipv6)
		addresses[count] = (struct shared_address){
		        .address = {.family = FAMILY_IPV6, .bytes = {0xfd, [13] = (uint8_t)group, [15] = 1}},
		        .prefix_length = 64};
	return addresses;
}

static size_t address_count(const struct scenario *scenario)
{
	return (size_t)scenario->ipv4 + (size_t)scenario->ipv6;
}

/* Computed once for all: each derivation costs a dozen compressions. */
static const struct seal_key *seal_key(void)
{
	static struct seal_key key;
	static bool derived;

	if (!derived)
		seal_key_derive(&key, 0, passphrase.bytes, passphrase.length);
	derived = true;
	return &key;
}

/* In a world of one segment and several hosts: all the others. */
void settings_list_peers(struct host *host)
{
	const struct scenario *scenario = host->world->scenario;
	size_t base = world_base(host->world, host->index);
	size_t count = 0;

	for (size_t i = base; scenario->unicast && i < base + scenario->host_count; i++)
		if (i != host->index)
			host->daemon.unicast_peers[count++] = host->world->hosts[i].kernel.ports[0].ipv4;
}

size_t settings_port(const char *parent_name)
{
	return parent_name == port_names[0] ? 0 : 1;
}

bool settings_leave_out(const struct host *host, size_t unit)
{
	return unit == 0 && host->world->scenario->group_count > 1 &&
	       (host->daemon.configured & CONFIGURED_WITHOUT_ONE) != 0;
}

/* In the order in which groups name them, as carpd does. */
static size_t find_or_add_parent(struct configuration *configuration, size_t port)
{
	size_t count = configuration->settings.parent_count;

	for (size_t i = 0; i < count; i++)
		if (configuration->parent_names[i] == port_names[port])
			return i;
	configuration->parent_names[count] = port_names[port];
	configuration->settings.parent_count++;
	return count;
}

static void add_group(const struct host *host, struct configuration *configuration, size_t unit)
{
	const struct scenario *scenario = host->world->scenario;
	size_t local = host->index % scenario->host_count;
	size_t i = configuration->settings.group_count++;
	size_t parent = find_or_add_parent(configuration, unit % scenario->segment_count);

	configuration->settings.node_count++;
	configuration->places[unit] = i + 1;
	snprintf(configuration->names[i], GROUP_NAME_MAX, "group %u", (unsigned)unit & UINT8_MAX);
	configuration->nodes[i] = (struct node_settings){.vhid = (uint8_t)(unit + 1),
	                                                 .advskew = scenario_advskew(scenario, local, unit)};
	configuration->groups[i] = (struct group_settings){
	        .name = configuration->names[i],
	        .parent = parent,
	        .advbase = scenario->advbase,
	        .preempt = scenario->preempt,
	        .preempt_delay_ns = scenario->preempt_delay_ns,
	        .demotion_scope = (configuration->how & CONFIGURED_SPLIT) != 0 ? (int)parent : 0,
	        .ttl_check = true,
	        .nodes = &configuration->nodes[i],
	        .node_count = 1,
	        .addresses = new_shared_addresses(scenario, unit),
	        .address_count = address_count(scenario),
	        .peers = host->daemon.unicast_peers,
	        .peer_count = scenario->unicast ? scenario->host_count - 1 : 0,
	        .passphrase = passphrase,
	        .seal = scenario->seal,
	        .seal_keys = seal_key(),
	        .seal_key_count = 1,
	        .seal_window_ns = SEAL_WINDOW_NS,
	        .mark_key = *seal_key(),
	};
}

struct configuration *settings_new(const struct host *host)
{
	const struct scenario *scenario = host->world->scenario;
	struct configuration *configuration = memory_new(1, sizeof(*configuration));
	size_t count = scenario->group_count;

	configuration->how = host->daemon.configured;
	configuration->names = memory_new(count, sizeof(configuration->names[0]));
	configuration->groups = memory_new(count, sizeof(configuration->groups[0]));
	configuration->nodes = memory_new(count, sizeof(configuration->nodes[0]));
	configuration->places = memory_new(count, sizeof(configuration->places[0]));
	for (size_t i = 0; i < count; i++) {
		size_t unit = (configuration->how & CONFIGURED_BACKWARDS) != 0 ? count - 1 - i : i;
		if (!settings_leave_out(host, unit))
			add_group(host, configuration, unit);
	}
	configuration->settings.groups = configuration->groups;
	configuration->settings.parent_names = configuration->parent_names;
	configuration->settings.handover_wait_ns = scenario->handover_wait_ns;
	configuration->settings.grace_ns = GRACE_NS;
	return configuration;
}

void settings_free(struct configuration *configuration)
{
	for (size_t i = 0; i < configuration->settings.group_count; i++)
		free((void *)(uintptr_t)configuration->groups[i].addresses);
	free(configuration->names);
	free(configuration->groups);
	free(configuration->nodes);
	free(configuration->places);
	free(configuration);
}

void settings_write_peers(struct host *host)
{
	const struct scenario *scenario = host->world->scenario;
	size_t local = host->index % scenario->host_count;

	for (size_t i = 0; i < scenario->group_count; i++) {
		struct shared_address *addresses = new_shared_addresses(scenario, i);
		host->peers[i] = (struct peer){
		        .dialect = host->kind,
		        .vhid = (uint8_t)(i + 1),
		        .advbase = scenario->advbase,
		        .advskew = scenario_advskew(scenario, local, i),
		        .preempt = scenario->preempt,
		        .ipv4 = scenario->ipv4,
		        .ipv6 = scenario->ipv6,
		        .own = host->kernel.ports[i % scenario->segment_count].ipv4,
		};
		peer_prepare(&host->peers[i], &passphrase, addresses, address_count(scenario));
		free(addresses);
	}
}
