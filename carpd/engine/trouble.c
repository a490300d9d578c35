#include "trouble.h"

#include <stdio.h>
#include <string.h>

#include "linux/answering.h"
#include "refusal.h"
#include "second_mac.h"

/* Its frames do not reach the host's own protocols, or leave it another way: whoever took it is to be the
 * parent. */
static void find_taker(const struct daemon *daemon, const struct interface *interface, json_t *texts)
{
	const struct rtnl_link *taker = surroundings_find(&daemon->surroundings, interface->taker);
	const char *name = taker != NULL ? taker->name : "another interface";
	bool passthru = taker != NULL && taker->lower == interface->link.index;
	const char *kind = passthru ? "passthru macvlan" : interface->link.master_kind;
	char release[64];

	if (interface->taker == 0)
		return;
	if (passthru)
		snprintf(release, sizeof(release), "ip link del %s", name);
	else
		snprintf(release, sizeof(release), "ip link set %s nomaster", interface->name);
	json_array_append_new(
	        texts,
	        json_sprintf("interface %s belongs to the %s %s, which takes its frames; say interface = "
	                     "%s, or release it: %s",
	                     interface->name, kind, name, name, release));
}

/* Of no use where the host's own address says how large the subnet is, and a slip if it says otherwise. */
static void find_prefixes(const struct daemon *daemon, const struct group *group,
                          const struct interface *interface, json_t *texts)
{
	for (size_t i = 0; i < group->settings->address_count; i++) {
		const struct shared_address *shared = &group->settings->addresses[i];
		char address[TEXT_ADDRESS_MAX], own_address[TEXT_ADDRESS_MAX];
		const struct shared_address *own;

		if (shared->prefix_length == 8 * address_bytes(&shared->address) ||
		    address_is_link_local(&shared->address))
			continue;
		own = interface_own_in(interface, daemon->runtime, shared);
		if (own == NULL || own->prefix_length == shared->prefix_length)
			continue;
		text_address(&shared->address, address);
		text_address(&own->address, own_address);
		json_array_append_new(
		        texts,
		        json_sprintf("%s/%d has another prefix length than this host's own %s/%d on %s, and "
		                     "does not set the route; write %s/%d, or mend the own address",
		                     address, shared->prefix_length, own_address, own->prefix_length,
		                     interface->name, address, own->prefix_length));
	}
}

/* The kernel tells of links, and /proc and others know them, under their first names only. */
static void find_other_name(const struct daemon *daemon, const struct interface *interface, json_t *texts)
{
	char name[IFNAMSIZ];

	if (rtnl_find_name(daemon->rtnl, interface->name, name))
		json_array_append_new(texts,
		                      json_sprintf("%s is an alternative name of %s; say interface = %s",
		                                   interface->name, name, name));
}

/* Elsewhere on the host is as good for peers, but for nothing else. */
static void find_source(const struct daemon *daemon, const struct group *group,
                        const struct interface *interface, const struct address *source, json_t *texts)
{
	char text[TEXT_ADDRESS_MAX];

	if (source->family == FAMILY_NONE || interface_has_address(interface, source) ||
	    (group->settings->peer_count > 0 && daemon->rtnl != NULL &&
	     rtnl_delivers_locally(daemon->rtnl, interface->link.index, source)))
		return;
	text_address(source, text);
	json_array_append_new(texts, json_sprintf("source %s is not an address of %s, so that nobody knows "
	                                          "its adverts; add it there, or change source",
	                                          text, interface->name));
}

/* Whoever chose the interface's MAC misses nothing. */
static void find_no_gate(const struct daemon *daemon, const struct group *group,
                         const struct interface *interface, json_t *texts)
{
	size_t number = (size_t)(group - daemon->engine->groups);

	if (interface->gate_refused[0] == '\0' ||
	    daemon->runtime->config->groups[number].mac == CONFIG_MAC_INTERFACE)
		return;
	json_array_append_new(texts,
	                      json_sprintf("there is no gate on %s, and so neither a virtual MAC nor a "
	                                   "fence: %s",
	                                   interface->name, interface->gate_refused));
}

static void find_gate_fight(const struct interface *interface, json_t *texts)
{
	if (interface->gate_port < 0 || !fight_is_on(&interface->gate_fight))
		return;
	json_array_append_new(
	        texts,
	        json_sprintf("another program takes the gate's place on %s again and again; it is put "
	                     "back once a second at most, and there is no fence meanwhile; find and stop "
	                     "that program (bpftool net; tc filter show dev %s ingress)",
	                     interface->name, interface->name));
}

/* A macvlan or ipvlan hears the broadcasts of the link below, and so do all that stand on it. */
static int medium_of(const struct rtnl_link *link)
{
	return link->lower != 0 ? link->lower : link->index;
}

static bool has_address_in(const struct surroundings *surroundings, const struct rtnl_link *link,
                           const struct shared_address *shared)
{
	for (size_t i = 0; i < surroundings->address_count; i++) {
		const struct rtnl_address *there = &surroundings->addresses[i];
		const struct shared_address *own = &there->address;
		if (there->link_index == link->index && own->prefix_length < 32 &&
		    interface_same_subnet(own, &shared->address))
			return true;
	}
	return false;
}

/* Whether link is, as far as can be seen from here, in the network of an address shared on interface. */
static bool is_beside(const struct daemon *daemon, const struct rtnl_link *link,
                      const struct interface *interface, const struct shared_address *shared)
{
	const struct rtnl_link *parent = &interface->link;

	return link->index != parent->index && link->up && link->speaks_arp && link->vrf == parent->vrf &&
	       surroundings_taker(&daemon->surroundings, link) == 0 &&
	       (medium_of(link) == medium_of(parent) || has_address_in(&daemon->surroundings, link, shared));
}

/* The gate is at the parent only, so what answers elsewhere goes on when the lease has run out. */
static void find_second(const struct rtnl_link *link, const struct shared_address *shared, json_t *texts)
{
	char address[TEXT_ADDRESS_MAX];
	char mark = strchr(link->name, '.') != NULL ? '/' : '.';

	if (!answering_for_others(link->name))
		return;
	json_array_append_new(
	        texts,
	        json_sprintf(
	                "%s is in the network of %s too, and Linux answers ARP for that address there as "
	                "well, past the fence; sysctl -w net%cipv4%cconf%c%s%carp_ignore=1 "
	                "net%cipv4%cconf%c%s%carp_announce=2",
	                link->name, text_address(&shared->address, address), mark, mark, mark, link->name,
	                mark, mark, mark, mark, link->name, mark));
}

/* One of the group's addresses is enough for each link. */
static void find_seconds(const struct daemon *daemon, const struct group *group,
                         const struct interface *interface, json_t *texts)
{
	for (size_t i = 0; i < daemon->surroundings.link_count; i++) {
		const struct rtnl_link *link = &daemon->surroundings.links[i];
		for (size_t a = 0; a < group->settings->address_count; a++) {
			const struct shared_address *shared = &group->settings->addresses[a];
			if (shared->address.family != FAMILY_IPV4 ||
			    !is_beside(daemon, link, interface, shared))
				continue;
			find_second(link, shared, texts);
			break;
		}
	}
}

void trouble_find(const struct daemon *daemon, const struct group *group, json_t *texts)
{
	const struct interface *interface = daemon_interface_of(daemon, group);

	if (interface->link.index == 0) {
		find_other_name(daemon, interface, texts);
		return;
	}
	find_taker(daemon, interface, texts);
	find_prefixes(daemon, group, interface, texts);
	refusal_describe(daemon, group, texts);
	const struct config_group *config = &daemon->runtime->config->groups[group - daemon->engine->groups];
	find_source(daemon, group, interface, &config->source_ipv4, texts);
	find_source(daemon, group, interface, &config->source_ipv6, texts);
	find_no_gate(daemon, group, interface, texts);
	find_gate_fight(interface, texts);
	second_mac_describe(daemon, group, texts);
	find_seconds(daemon, group, interface, texts);
}

static bool has_text(const json_t *texts, const json_t *text)
{
	for (size_t i = 0; i < json_array_size(texts); i++)
		if (json_equal(json_array_get(texts, i), text))
			return true;
	return false;
}

/* Two groups on one interface may have the same trouble, which is told once. */
static void tell_missing_in(struct daemon *daemon, const json_t *texts, const json_t *others,
                            const char *start)
{
	for (size_t i = 0; i < json_array_size(texts); i++)
		if (!has_text(others, json_array_get(texts, i)))
			history_note(&daemon->history, daemon_wall_ns(daemon), NULL, "problem", "%s%s", start,
			             json_string_value(json_array_get(texts, i)));
}

static json_t *without_repetitions(json_t *texts)
{
	json_t *once = json_array();

	for (size_t i = 0; i < json_array_size(texts); i++)
		if (!has_text(once, json_array_get(texts, i)))
			json_array_append(once, json_array_get(texts, i));
	json_decref(texts);
	return once;
}

void trouble_look(struct daemon *daemon)
{
	json_t *texts = json_array();

	for (size_t g = 0; g < daemon->engine->settings->group_count; g++)
		trouble_find(daemon, &daemon->engine->groups[g], texts);
	texts = without_repetitions(texts);
	tell_missing_in(daemon, texts, daemon->troubles, "");
	tell_missing_in(daemon, daemon->troubles, texts, "no longer so: ");
	json_decref(daemon->troubles);
	daemon->troubles = texts;
	daemon->surroundings.changed = false;
}
