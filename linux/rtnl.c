#include "linux/rtnl_private.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_bonding.h>
#include <linux/if_link.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>

/* A flood of events must not keep the caller from its timers.  What is left makes the fd ready again. */
#define READS_MAX 256

static void index_nested(const struct nlattr *nest, const struct nlattr **attributes, uint16_t last)
{
	rtnl_index_attributes(nest ? mnl_attr_get_payload(nest) : NULL,
	                      nest ? mnl_attr_get_payload_len(nest) : 0, attributes, last);
}

static void get_string(const struct nlattr *attribute, char *buffer, size_t room)
{
	if (attribute)
		snprintf(buffer, room, "%.*s", (int)mnl_attr_get_payload_len(attribute),
		         mnl_attr_get_str(attribute));
}

static bool is_macvlan(const char *kind)
{
	return strcmp(kind, "macvlan") == 0 || strcmp(kind, "macvtap") == 0;
}

static bool is_passthru(const struct nlattr *data)
{
	const struct nlattr *attributes[IFLA_MACVLAN_MODE + 1];

	index_nested(data, attributes, IFLA_MACVLAN_MODE);
	return rtnl_u32(attributes[IFLA_MACVLAN_MODE], 0) == MACVLAN_MODE_PASSTHRU;
}

/* The links above and below it. */
static void find_relations(const struct nlattr **attributes, const struct nlattr **info,
                           struct rtnl_link *link)
{
	int master = (int)rtnl_u32(attributes[IFLA_MASTER], 0);

	get_string(info[IFLA_INFO_SLAVE_KIND], link->master_kind, sizeof(link->master_kind));
	if (strcmp(link->master_kind, "vrf") == 0)
		link->vrf = master;
	else
		link->master = master;
	if (!is_macvlan(link->kind_name) && strcmp(link->kind_name, "ipvlan") != 0)
		return;
	if (!attributes[IFLA_LINK_NETNSID])
		link->lower = (int)rtnl_u32(attributes[IFLA_LINK], 0);
	link->passthru = is_macvlan(link->kind_name) && is_passthru(info[IFLA_INFO_DATA]);
}

static enum link_kind find_kind(uint16_t hardware, const char *name, const struct nlattr *data)
{
	if (hardware != ARPHRD_ETHER)
		return LINK_NOT_ETHERNET;
	if (strcmp(name, "bridge") == 0)
		return LINK_BRIDGE;
	/* A macvlan takes its own MAC only, whatever it is asked for (doc/linux.md 5.1). */
	if (is_macvlan(name) && !is_passthru(data))
		return LINK_NO_VIRTUAL_MAC;
	/* These two write the port's MAC into frames after the gate has seen them (doc/linux.md 5.1). */
	if (strcmp(name, "bond") == 0) {
		const struct nlattr *attributes[IFLA_BOND_MODE + 1];
		uint8_t mode;

		index_nested(data, attributes, IFLA_BOND_MODE);
		mode = rtnl_u8(attributes[IFLA_BOND_MODE], BOND_MODE_ROUNDROBIN);
		if (mode == BOND_MODE_TLB || mode == BOND_MODE_ALB)
			return LINK_NO_VIRTUAL_MAC;
	}
	return LINK_ORDINARY;
}

static void hear_link(struct rtnl *rtnl, const struct nlmsghdr *message)
{
	const struct nlattr *attributes[IFLA_MAX + 1];
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *info[IFLA_INFO_MAX + 1];
	const struct nlattr *mac;
	struct rtnl_link link = {0};

	if (!rtnl_parse(message, sizeof(*header), attributes, IFLA_MAX))
		return;
	/* A bridge tells of its ports in the same group: RTM_DELLINK then means that a port left it. */
	if (header->ifi_family != AF_UNSPEC)
		return;
	/* Wireless drivers send events that look like a link with nothing but a name. */
	if (attributes[IFLA_WIRELESS])
		return;
	index_nested(attributes[IFLA_LINKINFO], info, IFLA_INFO_MAX);
	mac = attributes[IFLA_ADDRESS];
	link.index = header->ifi_index;
	get_string(attributes[IFLA_IFNAME], link.name, sizeof(link.name));
	get_string(info[IFLA_INFO_KIND], link.kind_name, sizeof(link.kind_name));
	link.kind = find_kind(header->ifi_type, link.kind_name, info[IFLA_INFO_DATA]);
	find_relations(attributes, info, &link);
	link.speaks_arp = !(header->ifi_flags & (IFF_NOARP | IFF_LOOPBACK));
	/*
	 * A driver that knows nothing of its carrier has IFF_LOWER_UP always.  The
	 * operational state is no better source: it is "unknown" for a moment on
	 * every new link, with or without carrier.
	 */
	link.up = (header->ifi_flags & IFF_UP) && (header->ifi_flags & IFF_LOWER_UP);
	if (mac && mnl_attr_get_payload_len(mac) == sizeof(link.mac.bytes))
		memcpy(link.mac.bytes, mnl_attr_get_payload(mac), sizeof(link.mac.bytes));
	rtnl->handler->link(rtnl->context, &link, message->nlmsg_type == RTM_DELLINK);
}

static void hear_filter(struct rtnl *rtnl, const struct nlmsghdr *message)
{
	const struct tcmsg *header = mnl_nlmsg_get_payload(message);

	/* Filters of a shared block carry a negative number in place of a link. */
	if (mnl_nlmsg_get_payload_len(message) >= sizeof(*header) && header->tcm_ifindex > 0)
		rtnl->handler->filter_changed(rtnl->context, header->tcm_ifindex);
}

static void hear(void *context, const struct nlmsghdr *message)
{
	struct rtnl *rtnl = context;
	struct rtnl_address address;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		hear_link(rtnl, message);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (rtnl_parse_address(message, &address))
			rtnl->handler->address(rtnl->context, &address, message->nlmsg_type == RTM_DELADDR);
		break;
	case RTM_NEWQDISC:
	case RTM_DELQDISC:
	case RTM_NEWTFILTER:
	case RTM_DELTFILTER:
		hear_filter(rtnl, message);
		break;
	default:
		break;
	}
}

/*
 * After an overrun the kernel drops further events without an error, until the queue is
 * empty.  So it must be emptied before the dump, not after.
 */
static void drain(struct rtnl *rtnl)
{
	ssize_t got;

	do {
		got = mnl_socket_recvfrom(rtnl->listener, rtnl->input, sizeof(rtnl->input));
	} while (got >= 0 || errno == EINTR || errno == ENOBUFS || errno == ENOSPC);
}

/* The whole dump, before anybody is told of it: one that fails must not leave half a picture. */
struct gathering {
	uint8_t *bytes;
	size_t length, room;
	bool failed;
};

static void gather(void *context, const struct nlmsghdr *message)
{
	struct gathering *gathering = context;
	size_t bytes = NLMSG_ALIGN(message->nlmsg_len);

	if (gathering->length + bytes > gathering->room) {
		size_t room = 2 * gathering->room + sizeof(((struct rtnl *)0)->input);
		uint8_t *grown = realloc(gathering->bytes, room);
		gathering->failed |= grown == NULL;
		if (grown == NULL)
			return;
		gathering->bytes = grown;
		gathering->room = room;
	}
	memcpy(gathering->bytes + gathering->length, message, message->nlmsg_len);
	gathering->length += bytes;
}

static void hear_messages(struct rtnl *rtnl, const void *start, size_t bytes)
{
	const struct nlmsghdr *message = start;
	int left = (int)bytes;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		hear(rtnl, message);
}

int rtnl_resync(struct rtnl *rtnl)
{
	struct ifinfomsg link_header = {.ifi_family = AF_UNSPEC};
	struct ifaddrmsg address_header = {.ifa_family = AF_UNSPEC};
	struct rtnl_question links = {RTM_GETLINK, &link_header, sizeof(link_header),
	                              RTEXT_FILTER_SKIP_STATS};
	struct rtnl_question addresses = {RTM_GETADDR, &address_header, sizeof(address_header), 0};
	struct gathering gathering = {0};
	int error;

	rtnl->stale = true;
	drain(rtnl);
	error = rtnl_dump(rtnl, rtnl->dumper, rtnl->input, sizeof(rtnl->input), &links, gather, &gathering);
	if (!error)
		error = rtnl_dump(rtnl, rtnl->dumper, rtnl->input, sizeof(rtnl->input), &addresses, gather,
		                  &gathering);
	if (!error && gathering.failed)
		error = -ENOMEM;
	if (!error) {
		rtnl->stale = false;
		rtnl->handler->resync_begin(rtnl->context);
		hear_messages(rtnl, gathering.bytes, gathering.length);
		rtnl->handler->resync_end(rtnl->context);
	}
	free(gathering.bytes);
	return error;
}

int rtnl_read(struct rtnl *rtnl)
{
	int error;

	for (int i = 0; i < READS_MAX; i++) {
		ssize_t got = 0;

		if (!rtnl->stale)
			got = mnl_socket_recvfrom(rtnl->listener, rtnl->input, sizeof(rtnl->input));
		if (got < 0 && errno == EAGAIN)
			return 0;
		if (got < 0 && errno == EINTR)
			continue;
		/* ENOSPC: libmnl's word for an event larger than the buffer, which is lost as well. */
		if (got < 0 && errno != ENOBUFS && errno != ENOSPC)
			return -errno;
		if (got > 0) {
			hear_messages(rtnl, rtnl->input, (size_t)got);
			continue;
		}
		error = rtnl_resync(rtnl);
		if (error)
			return error;
	}
	return 0;
}

static int join_groups(struct mnl_socket *socket)
{
	static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_TC};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
			return -errno;
	}
	return 0;
}

int rtnl_open(const struct rtnl_handler *handler, void *context, struct rtnl **ret_rtnl)
{
	struct rtnl *rtnl = calloc(1, sizeof(*rtnl));
	int error;

	if (!rtnl)
		return -ENOMEM;
	rtnl->handler = handler;
	rtnl->context = context;
	error = rtnl_batch_init(&rtnl->batch);
	if (!error)
		error = rtnl_socket_open(&rtnl->listener);
	if (!error)
		error = rtnl_socket_open(&rtnl->dumper);
	if (!error)
		error = rtnl_socket_open(&rtnl->asker);
	if (!error)
		error = join_groups(rtnl->listener);
	if (!error)
		error = rtnl_resync(rtnl);
	if (error) {
		rtnl_close(rtnl);
		return error;
	}
	*ret_rtnl = rtnl;
	return 0;
}

void rtnl_close(struct rtnl *rtnl)
{
	if (!rtnl)
		return;
	if (rtnl->listener)
		mnl_socket_close(rtnl->listener);
	if (rtnl->dumper)
		mnl_socket_close(rtnl->dumper);
	if (rtnl->asker)
		mnl_socket_close(rtnl->asker);
	rtnl_batch_free(&rtnl->batch);
	free(rtnl);
}

int rtnl_fd(const struct rtnl *rtnl)
{
	return mnl_socket_get_fd(rtnl->listener);
}
