#include "config_check.h"

#include <stdlib.h>
#include <string.h>

#include "linux/gate.h"
#include "carpd/log/text.h"

/* With more, a takeover is slow: the kernel's work grows with the square (doc/linux.md 7.3). */
#define IPV6_COMFORTABLE 250

static int compare_key(const void *key, const void *element)
{
	const struct shared_address *shared = element;

	return address_compare(key, &shared->address);
}

const struct shared_address *config_check_find(const struct config_group *group,
                                               const struct address *address)
{
	if (group->address_count == 0)
		return NULL;
	return bsearch(address, group->addresses, group->address_count, sizeof(*group->addresses),
	               compare_key);
}

static int line_of(cfg_t *section, const char *option, const struct config_group *group)
{
	const struct config_word *word = config_read_word(section, option, 0);

	return word != NULL ? word->line : group->line;
}

static size_t count_family(const struct config_group *group, enum family family)
{
	size_t count = 0;

	for (size_t i = 0; i < group->address_count; i++)
		count += group->addresses[i].address.family == family;
	return count;
}

static void check_vhid(struct config_report *report, const struct config_group *group,
                       const struct config_group *other, cfg_t *section)
{
	if (group->vhid != 0 && group->vhid == other->vhid)
		config_error(report, line_of(section, "vhid", group),
		             "vhid %d is taken on %s by group %s (line %d); ids must differ on one interface",
		             group->vhid, group->interface, other->name, other->line);
}

static void check_addresses(struct config_report *report, const struct config_group *group,
                            const struct config_group *other, bool one_interface, cfg_t *section)
{
	int line = line_of(section, "addresses", group);

	for (size_t i = 0; i < group->address_count; i++) {
		const struct address *address = &group->addresses[i].address;
		char text[TEXT_ADDRESS_MAX];

		if (config_check_find(other, address) == NULL)
			continue;
		text_address(address, text);
		if (one_interface)
			config_error(report, line,
			             "%s belongs to group %s already (line %d); give it to one group", text,
			             other->name, other->line);
		else if (!address_is_link_local(address))
			config_warning(
			        report, line,
			        "%s is on %s too, in group %s (line %d); only separate VRFs can have that",
			        text, other->interface, other->name, other->line);
	}
}

static void check_peers(struct config_report *report, const struct config_group *group, cfg_t *section)
{
	for (size_t i = 0; i < group->peer_count; i++) {
		const struct address *peer = &group->peers[i];
		char text[TEXT_ADDRESS_MAX];

		text_address(peer, text);
		if (group->address_count > 0 && count_family(group, peer->family) == 0)
			config_error(report, line_of(section, "peers", group),
			             "peer %s is IPv%d, but the group has no IPv%d address; take it out",
			             text, peer->family, peer->family);
		if (config_check_find(group, peer) != NULL)
			config_error(report, line_of(section, "peers", group),
			             "peer %s is one of the group's own addresses; write the peer's own one",
			             text);
	}
}

static void check_source(struct config_report *report, const struct config_group *group,
                         const struct address *source, cfg_t *section)
{
	int line = line_of(section, "source", group);
	char text[TEXT_ADDRESS_MAX];

	if (source->family == FAMILY_NONE)
		return;
	text_address(source, text);
	if (group->address_count > 0 && count_family(group, source->family) == 0)
		config_error(report, line,
		             "source %s is IPv%d, but the group has no IPv%d address; take it out", text,
		             source->family, source->family);
	if (config_check_find(group, source) != NULL)
		config_error(report, line,
		             "source %s is one of the shared addresses; write one of this host's own", text);
}

void config_check_group(struct config_report *report, const struct config *config, cfg_t *section)
{
	const struct config_group *group = &config->groups[config->group_count - 1];

	for (size_t i = 0; i + 1 < config->group_count; i++) {
		const struct config_group *other = &config->groups[i];
		bool one_interface = strcmp(group->interface, other->interface) == 0;

		if (group->interface[0] == '\0' || other->interface[0] == '\0')
			continue;
		if (one_interface)
			check_vhid(report, group, other, section);
		check_addresses(report, group, other, one_interface, section);
	}
	check_peers(report, group, section);
	check_source(report, group, &group->source_ipv4, section);
	check_source(report, group, &group->source_ipv6, section);
	if (count_family(group, FAMILY_IPV6) > IPV6_COMFORTABLE)
		config_warning(report, line_of(section, "addresses", group),
		               "%zu IPv6 addresses are taken over slowly; at most %d stay quick",
		               count_family(group, FAMILY_IPV6), IPV6_COMFORTABLE);
	if (group->advbase == 0 && !config->realtime)
		config_warning(report, line_of(section, "advbase", group),
		               "advbase 0 without realtime loses the mastership on a busy host; set realtime "
		               "= true");
}

static bool uses_gate(const struct config_group *group)
{
	return group->mac != CONFIG_MAC_INTERFACE && group->interface[0] != '\0';
}

static bool is_first_of_interface(const struct config *config, size_t number)
{
	for (size_t i = 0; i < number; i++)
		if (uses_gate(&config->groups[i]) &&
		    strcmp(config->groups[i].interface, config->groups[number].interface) == 0)
			return false;
	return true;
}

/* With auto a group can do without the gate.  Whether it must is seen when carpd starts. */
static void tell_no_room(struct config_report *report, const struct config_group *group, int room,
                         const char *what)
{
	report->group = group->name;
	if (group->mac == CONFIG_MAC_VIRTUAL)
		config_error(report, group->line, "the gate has room for %d %s; say mac = interface", room,
		             what);
	else
		config_warning(
		        report, group->line,
		        "the gate has room for %d %s; what finds none uses the interface's MAC, without a "
		        "fence: say mac = interface",
		        room, what);
	report->group = NULL;
}

void config_check_gate(struct config_report *report, const struct config *config)
{
	size_t interfaces = 0, addresses = 0;

	for (size_t i = 0; i < config->group_count; i++) {
		const struct config_group *group = &config->groups[i];

		if (!uses_gate(group))
			continue;
		addresses += group->address_count;
		if (is_first_of_interface(config, i) && ++interfaces > GATE_PORTS_MAX)
			tell_no_room(report, group, GATE_PORTS_MAX, "interfaces");
		else if (addresses > GATE_ADDRESSES_MAX)
			tell_no_room(report, group, GATE_ADDRESSES_MAX, "addresses");
	}
}
