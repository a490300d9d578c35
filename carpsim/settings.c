#include "settings.h"

#include <stdlib.h>

#include "memory.h"
#include "world.h"

#define SEAL_WINDOW_NS (60 * NS_PER_S)
#define GRACE_NS       (60 * NS_PER_S)

static const char *const parent_names[SEGMENTS_MAX] = {"eth0", "eth1"};
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
static size_t list_unicast_peers(struct host *host)
{
	const struct scenario *scenario = host->world->scenario;
	size_t base = world_base(host->world, host->index);
	size_t count = 0;

	for (size_t i = base; scenario->unicast && i < base + scenario->host_count; i++)
		if (i != host->index)
			host->daemon.unicast_peers[count++] = host->world->hosts[i].kernel.ports[0].ipv4;
	return count;
}

void settings_write_daemon(struct host *host)
{
	const struct scenario *scenario = host->world->scenario;
	struct daemon *daemon = &host->daemon;
	size_t local = host->index % scenario->host_count;
	size_t peer_count = list_unicast_peers(host);

	daemon->groups = memory_new(scenario->group_count, sizeof(daemon->groups[0]));
	daemon->nodes = memory_new(scenario->group_count, sizeof(daemon->nodes[0]));
	for (size_t i = 0; i < scenario->group_count; i++) {
		daemon->nodes[i] = (struct node_settings){.vhid = (uint8_t)(i + 1),
		                                          .advskew = scenario_advskew(scenario, local, i)};
		daemon->groups[i] = (struct group_settings){
		        .name = "group",
		        .parent = i % scenario->segment_count,
		        .advbase = scenario->advbase,
		        .preempt = scenario->preempt,
		        .preempt_delay_ns = scenario->preempt_delay_ns,
		        .ttl_check = true,
		        .nodes = &daemon->nodes[i],
		        .node_count = 1,
		        .addresses = new_shared_addresses(scenario, i),
		        .address_count = address_count(scenario),
		        .peers = daemon->unicast_peers,
		        .peer_count = peer_count,
		        .passphrase = passphrase,
		        .seal = scenario->seal,
		        .seal_keys = seal_key(),
		        .seal_key_count = 1,
		        .seal_window_ns = SEAL_WINDOW_NS,
		};
	}
	daemon->settings = (struct engine_settings){
	        .groups = daemon->groups,
	        .group_count = scenario->group_count,
	        .node_count = scenario->group_count,
	        .parent_names = parent_names,
	        .parent_count = scenario->segment_count,
	        .handover_wait_ns = scenario->handover_wait_ns,
	        .grace_ns = GRACE_NS,
	};
}

void settings_free_daemon(struct host *host)
{
	struct daemon *daemon = &host->daemon;

	for (size_t i = 0; i < daemon->settings.group_count; i++)
		free((void *)(uintptr_t)daemon->groups[i].addresses);
	free(daemon->groups);
	free(daemon->nodes);
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
