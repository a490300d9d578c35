#include "second_mac.h"

#include <string.h>
#include <unistd.h>

#include "core/announce.h"
#include "daemon.h"
#include "linux/inquiry.h"
#include "carpd/log/text.h"

#define SETTLED_NS    (10 * NS_PER_S) /* the announcements of a reign are over, and a client has asked again */
#define ENOUGH        5               /* answers to our own MAC: nobody is that unlucky with the other one */
#define PATIENCE      10              /* questions to one who answers neither */
#define INQUIRIES_MAX 1000            /* in one look */

static enum second_mac *known_of(const struct daemon *daemon, const struct group *group)
{
	return &daemon_interface_of(daemon, group)->second_macs[group->nodes[0].vhost.vhid];
}

/* While masters change, frames go astray. */
static bool is_settled(const struct daemon *daemon, const struct group *group)
{
	const struct vhost *vhost = &group->nodes[0].vhost;

	return vhost->state == VHOST_MASTER && !vhost->handover.active &&
	       vhost->rival.source.family == FAMILY_NONE &&
	       instant_span_ns(vhost->last.at, daemon->now) >= SETTLED_NS;
}

static bool is_doubtful(const struct daemon *daemon, const struct group *group)
{
	return group->virtual_mac && is_settled(daemon, group) &&
	       *known_of(daemon, group) == SECOND_MAC_UNKNOWN;
}

/* One frame shows that the network lets it in. */
static void follow_counter(struct daemon *daemon, const struct group *group)
{
	const struct interface *interface = daemon_interface_of(daemon, group);
	struct gate_counters counters;

	if (!group->virtual_mac || interface->gate_port < 0 || group->masters == 0 ||
	    *known_of(daemon, group) == SECOND_MAC_LET_IN)
		return;
	gate_read_counters(daemon->gate, interface->gate_port, group->nodes[0].vhost.vhid, &counters);
	if (counters.accepted > 0)
		*known_of(daemon, group) = SECOND_MAC_LET_IN;
}

static const struct group *suspect(const struct daemon *daemon)
{
	const struct trial *trial = daemon->trial;

	for (size_t g = 0; g < daemon->engine->settings->group_count; g++) {
		const struct group *group = &daemon->engine->groups[g];
		if (group->nodes[0].vhost.vhid == trial->vhid &&
		    daemon_interface_of(daemon, group)->link.index == trial->link_index)
			return group;
	}
	return NULL;
}

static void acquit(struct trial *trial)
{
	*trial = (struct trial){.fd = trial->fd};
}

/* Another host that looks whether an address is free says none of its own. */
static bool is_asker(const struct daemon *daemon, const struct inquiry *inquiry)
{
	static const struct address nobody = {.family = FAMILY_IPV4};
	const struct group *group = daemon_find_group(daemon, inquiry->link_index, &inquiry->target);

	return inquiry->question && group != NULL && is_doubtful(daemon, group) &&
	       !address_equal(&inquiry->sender, &nobody) &&
	       daemon_find_group(daemon, inquiry->link_index, &inquiry->sender) == NULL;
}

static void begin(struct daemon *daemon, const struct inquiry *inquiry)
{
	const struct group *group = daemon_find_group(daemon, inquiry->link_index, &inquiry->target);
	struct trial *trial = daemon->trial;

	trial->link_index = inquiry->link_index;
	trial->vhid = group->nodes[0].vhost.vhid;
	trial->asker = inquiry->sender;
	trial->asker_mac = inquiry->sender_mac;
}

static bool is_answer(const struct trial *trial, const struct interface *interface,
                      const struct inquiry *inquiry)
{
	return !inquiry->question && inquiry->link_index == trial->link_index &&
	       address_equal(&inquiry->sender, &trial->asker) &&
	       mac_equal(&inquiry->target_mac, &interface->link.mac);
}

static void read_inquiries(struct daemon *daemon)
{
	struct trial *trial = daemon->trial;
	bool answered = false;
	struct inquiry inquiry;

	for (int i = 0; i < INQUIRIES_MAX && inquiry_receive(trial->fd, &inquiry); i++) {
		const struct interface *interface = interfaces_find(&daemon->interfaces, inquiry.link_index);
		if (interface == NULL)
			continue;
		if (trial->asker.family == FAMILY_NONE && is_asker(daemon, &inquiry))
			begin(daemon, &inquiry);
		answered = answered || is_answer(trial, interface, &inquiry);
	}
	/* To one question there may be many. */
	trial->answers += answered ? 1 : 0;
}

/* To him alone, so that nobody else is bothered; he answers to the MAC that asks. */
static void ask(const struct trial *trial, const struct interface *interface, const struct mac *mac)
{
	uint8_t frame[ANNOUNCE_FRAME_MAX];
	size_t length = announce_build_question(&trial->asker, mac, frame);

	memcpy(frame, trial->asker_mac.bytes, sizeof(trial->asker_mac.bytes));
	if (interface->wire != NULL)
		(void)wire_send(interface->wire, frame, length);
}

static void investigate(struct daemon *daemon)
{
	struct trial *trial = daemon->trial;
	const struct group *group = suspect(daemon);
	struct mac virtual = mac_virtual(trial->vhid);

	if (group == NULL || !is_doubtful(daemon, group)) {
		acquit(trial);
		return;
	}
	if (trial->answers >= ENOUGH) {
		*known_of(daemon, group) = SECOND_MAC_REFUSED;
		acquit(trial);
		return;
	}
	if (trial->questions >= PATIENCE + trial->answers) {
		acquit(trial);
		return;
	}
	trial->questions++;
	ask(trial, daemon_interface_of(daemon, group), &daemon_interface_of(daemon, group)->link.mac);
	ask(trial, daemon_interface_of(daemon, group), &virtual);
}

static bool any_doubtful(const struct daemon *daemon)
{
	for (size_t g = 0; g < daemon->engine->settings->group_count; g++)
		if (is_doubtful(daemon, &daemon->engine->groups[g]))
			return true;
	return false;
}

void second_mac_look(struct daemon *daemon)
{
	struct trial *trial = daemon->trial;

	for (size_t g = 0; g < daemon->engine->settings->group_count; g++)
		follow_counter(daemon, &daemon->engine->groups[g]);
	if (!any_doubtful(daemon)) {
		second_mac_close(daemon);
		return;
	}
	if (trial->fd < 0)
		trial->fd = inquiry_open();
	if (trial->fd < 0)
		return;
	read_inquiries(daemon);
	if (trial->asker.family != FAMILY_NONE)
		investigate(daemon);
}

void second_mac_open(struct daemon *daemon)
{
	daemon->trial->fd = -1;
}

void second_mac_close(struct daemon *daemon)
{
	if (daemon->trial->fd >= 0)
		close(daemon->trial->fd);
	*daemon->trial = (struct trial){.fd = -1};
}

void second_mac_describe(const struct daemon *daemon, const struct group *group, json_t *texts)
{
	const struct interface *interface = daemon_interface_of(daemon, group);
	struct mac virtual = mac_virtual(group->nodes[0].vhost.vhid);
	char text[TEXT_ADDRESS_MAX];

	if (!group->virtual_mac || group->masters == 0 || *known_of(daemon, group) != SECOND_MAC_REFUSED)
		return;
	json_array_append_new(
	        texts,
	        json_sprintf("the network behind %s refuses the virtual MAC %s, so that clients do not reach "
	                     "the addresses: they answer the MAC of %s, but nothing arrives that is sent "
	                     "to the virtual one; let the network allow it, or say mac = interface",
	                     interface->name, text_mac(&virtual, text), interface->name));
}
