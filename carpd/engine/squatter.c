#include "squatter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/announce.h"
#include "daemon.h"
#include "carpd/log/log.h"

/* What a predecessor or a rival said is still on its way when a reign begins. */
#define SETTLED_NS      (5 * NS_PER_S)
#define UNTOLD_QUIET_NS (12 * NS_PER_S) /* he has been asked several times */
#define QUIET_NS        (30 * NS_PER_S)

#define ASK_NS (10 * NS_PER_S) /* one part of a group's addresses, this often at most */
#define PARTS  6               /* of a large group, so that it is asked for each address once a minute */

static bool says_its_own(const struct group *group, const struct interface *interface, const struct mac *mac)
{
	for (size_t n = 0; n < group->node_count; n++) {
		struct mac own = mac_virtual(group->nodes[n].vhost.vhid);
		if (mac_equal(&own, mac))
			return true;
	}
	return mac_equal(&interface->link.mac, mac);
}

/* While masters change, both may be heard. */
static bool is_settled(const struct daemon *daemon, const struct group *group)
{
	for (size_t n = 0; n < group->node_count; n++) {
		const struct vhost *vhost = &group->nodes[n].vhost;
		if (vhost->state != VHOST_MASTER || vhost->handover.active ||
		    instant_span_ns(vhost->last.at, daemon->now) < SETTLED_NS ||
		    (vhost->rival.source.family != FAMILY_NONE && !vhost->rival.persistent))
			return false;
	}
	return true;
}

/*
 * Said again later than a successor would have made itself heard, it is no slip, no forged frame and no
 * change of masters.
 */
static bool is_repeated(const struct daemon *daemon, const struct group *group,
                        const struct squatter *squatter)
{
	return instant_span_ns(squatter->first, daemon->now) >
	       NS_PER_S + vhost_master_down_ns(&group->nodes[0].vhost);
}

static struct squatter *find_or_add(struct squatters *squatters, int link_index,
                                    const struct address *address)
{
	struct squatter *unused = NULL;

	for (size_t i = 0; i < SQUATTERS_MAX; i++) {
		struct squatter *squatter = &squatters->list[i];
		if (squatter->link_index == link_index && address_equal(&squatter->address, address))
			return squatter;
		if (squatter->address.family == FAMILY_NONE)
			unused = squatter;
	}
	return unused;
}

/* An interface of this host in the same network is somebody else, too. */
static const char *describe(const struct daemon *daemon, const struct squatter *squatter,
                            char text[TEXT_SENTENCE_MAX])
{
	static const struct mac unknown = {{0}};
	const struct surroundings *surroundings = &daemon->surroundings;
	char address[TEXT_ADDRESS_MAX], mac[TEXT_ADDRESS_MAX];
	const char *own = NULL;

	for (size_t i = 0; i < surroundings->link_count; i++)
		if (mac_equal(&surroundings->links[i].mac, &squatter->mac) &&
		    !mac_equal(&squatter->mac, &unknown))
			own = surroundings->links[i].name;
	text_address(&squatter->address, address);
	text_mac(&squatter->mac, mac);
	if (own != NULL)
		snprintf(text, TEXT_SENTENCE_MAX,
		         "this host's own %s (%s) answers for %s too, past the fence; sysctl -w "
		         "net/ipv4/conf/%s/arp_ignore=1",
		         own, mac, address, own);
	else
		snprintf(text, TEXT_SENTENCE_MAX,
		         "another host, %s, has %s too, so that clients reach the one or the other; find it "
		         "by its "
		         "MAC and take the address off it",
		         mac_equal(&squatter->mac, &unknown) ? "which does not say its MAC" : mac, address);
	return text;
}

static void heard_squatter(void *context, int link_index, const struct address *address,
                           const struct mac *mac)
{
	struct daemon *daemon = context;
	const struct group *group = daemon_find_group(daemon, link_index, address);
	struct squatter *squatter;
	char text[TEXT_SENTENCE_MAX];

	if (group == NULL || !is_settled(daemon, group) ||
	    says_its_own(group, daemon_interface_of(daemon, group), mac))
		return;
	squatter = find_or_add(daemon->squatters, link_index, address);
	if (squatter == NULL)
		return;
	if (squatter->address.family == FAMILY_NONE)
		*squatter = (struct squatter){
		        .link_index = link_index, .address = *address, .first = daemon->now};
	squatter->mac = *mac;
	squatter->heard = daemon->now;
	if (squatter->told || !is_repeated(daemon, group, squatter))
		return;
	squatter->told = true;
	history_note(&daemon->history, daemon_wall_ns(daemon), group->settings->name, "conflict", "%s",
	             describe(daemon, squatter, text));
}

void squatter_receive(struct daemon *daemon)
{
	lookout_receive(&daemon->squatters->lookout, heard_squatter, daemon);
}

static void ask(struct daemon *daemon, const struct group *group, const struct address *address)
{
	struct interface *interface = daemon_interface_of(daemon, group);
	struct mac mac = group->virtual_mac ? mac_virtual(group->nodes[0].vhost.vhid) : interface->link.mac;
	uint8_t frame[ANNOUNCE_FRAME_MAX];
	size_t length = announce_build_question(address, &mac, frame);

	if (interface->wire != NULL)
		(void)wire_send(interface->wire, frame, length);
}

static void ask_all(struct daemon *daemon)
{
	unsigned turn = daemon->squatters->turn++;

	for (size_t g = 0; g < daemon->engine->settings->group_count; g++) {
		const struct group *group = &daemon->engine->groups[g];
		size_t count = group->settings->address_count;
		size_t parts = count > PARTS ? PARTS : 1;
		for (size_t a = turn % parts; a < count && is_settled(daemon, group); a += parts)
			ask(daemon, group, &group->settings->addresses[a].address);
	}
}

static void look_at(struct daemon *daemon, struct squatter *squatter)
{
	const struct group *group = daemon_find_group(daemon, squatter->link_index, &squatter->address);
	/* What was heard before this reign may have been the master before it. */
	bool serving = group != NULL && group->masters > 0 &&
	               !instant_before(squatter->first, group->nodes[0].vhost.last.at);
	int64_t quiet_ns = squatter->told ? QUIET_NS : UNTOLD_QUIET_NS;
	char address[TEXT_ADDRESS_MAX];

	if (serving && instant_span_ns(squatter->heard, daemon->now) < quiet_ns) {
		ask(daemon, group, &squatter->address);
		return;
	}
	if (squatter->told)
		history_note(&daemon->history, daemon_wall_ns(daemon), NULL, "conflict",
		             serving ? "nobody else claims %s any more"
		                     : "%s is not served here any more, whoever else may have it",
		             text_address(&squatter->address, address));
	*squatter = (struct squatter){0};
}

void squatter_look(struct daemon *daemon)
{
	for (size_t i = 0; i < SQUATTERS_MAX; i++)
		if (daemon->squatters->list[i].address.family != FAMILY_NONE)
			look_at(daemon, &daemon->squatters->list[i]);
	if (instant_span_ns(daemon->squatters->asked, daemon->now) < ASK_NS)
		return;
	daemon->squatters->asked = daemon->now;
	ask_all(daemon);
}

void squatter_follow_config(struct daemon *daemon)
{
	struct address *addresses;
	size_t count = 0;
	int error;

	if (daemon->squatters->lookout.arp_fd < 0)
		return;
	for (size_t g = 0; g < daemon->engine->settings->group_count; g++)
		count += daemon->engine->settings->groups[g].address_count;
	addresses = calloc(count + 1, sizeof(*addresses));
	if (addresses == NULL)
		return;
	count = 0;
	for (size_t g = 0; g < daemon->engine->settings->group_count; g++)
		for (size_t a = 0; a < daemon->engine->settings->groups[g].address_count; a++)
			addresses[count++] = daemon->engine->settings->groups[g].addresses[a].address;
	error = lookout_watch(&daemon->squatters->lookout, addresses, count);
	if (error < 0)
		log_warning("who else has a shared address cannot be listened for: %s", strerror(-error));
	free(addresses);
}

void squatter_open(struct daemon *daemon)
{
	int error = lookout_open(&daemon->squatters->lookout);

	if (error < 0)
		log_warning("who else has a shared address cannot be listened for: %s", strerror(-error));
	squatter_follow_config(daemon);
}

void squatter_close(struct daemon *daemon)
{
	lookout_close(&daemon->squatters->lookout);
}

/* Heard once, and not yet again when it was asked. */
static const char *describe_claim(const struct daemon *daemon, const struct squatter *squatter,
                                  char text[TEXT_SENTENCE_MAX])
{
	char address[TEXT_ADDRESS_MAX], mac[TEXT_ADDRESS_MAX], clock[TEXT_TIME_MAX];

	snprintf(text, TEXT_SENTENCE_MAX, "%s says that it has %s, since %s; it is being asked",
	         text_mac(&squatter->mac, mac), text_address(&squatter->address, address),
	         text_clock(squatter->first.ns + daemon->engine->wall_offset_ns, clock));
	return text;
}

void squatter_find(const struct daemon *daemon, const struct group *group, json_t *problems, json_t *notes)
{
	char text[TEXT_SENTENCE_MAX];

	for (size_t i = 0; i < SQUATTERS_MAX; i++) {
		const struct squatter *squatter = &daemon->squatters->list[i];
		if (squatter->address.family == FAMILY_NONE ||
		    daemon_find_group(daemon, squatter->link_index, &squatter->address) != group)
			continue;
		if (squatter->told)
			json_array_append_new(problems, json_string(describe(daemon, squatter, text)));
		else
			json_array_append_new(notes, json_string(describe_claim(daemon, squatter, text)));
	}
}
