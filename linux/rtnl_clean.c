#include "linux/rtnl_private.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>

static void gather_address(void *context, const struct nlmsghdr *message)
{
	struct rtnl_address found;

	if (rtnl_parse_address(message, &found) && found.protocol == RTNL_ADDRESS_PROTOCOL &&
	    found.address.prefix_length == 8 * address_bytes(&found.address.address))
		rtnl_drop_address(context, found.link_index, &found.address.address, NULL);
}

static void gather_mac(void *context, const struct nlmsghdr *message)
{
	const struct nlattr *attributes[NDA_MAX + 1];
	const struct ndmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *mac_attribute, *master;
	struct mac mac, expected;

	if (!rtnl_parse(message, sizeof(*header), attributes, NDA_MAX))
		return;
	mac_attribute = attributes[NDA_LLADDR];
	master = attributes[NDA_MASTER];
	if (!mac_attribute || mnl_attr_get_payload_len(mac_attribute) != sizeof(mac.bytes))
		return;
	/*
	 * An entry of the bridge itself is one whose link is its own bridge.  Entries
	 * of ports are learned or an administrator's; those without a bridge are
	 * unicast filters, gone with the socket that asked for them.
	 */
	if (!(header->ndm_state & NUD_PERMANENT) || !master || mnl_attr_validate(master, MNL_TYPE_U32) < 0 ||
	    mnl_attr_get_u32(master) != (uint32_t)header->ndm_ifindex)
		return;
	memcpy(mac.bytes, mnl_attr_get_payload(mac_attribute), sizeof(mac.bytes));
	expected = mac_virtual(mac.bytes[5]);
	if (memcmp(&mac, &expected, sizeof(mac)) == 0)
		rtnl_forget_mac(context, header->ndm_ifindex, &mac, NULL);
}

static void gather_gateway(void *context, const struct rtmsg *header, const struct nlattr **attributes)
{
	struct rtnl_route route = {.destination.prefix_length = header->rtm_dst_len,
	                           .metric = rtnl_u32(attributes[RTA_PRIORITY], 0)};

	if (!rtnl_address_of(header->rtm_family, attributes[RTA_GATEWAY], &route.gateway) ||
	    (attributes[RTA_DST] &&
	     !rtnl_address_of(header->rtm_family, attributes[RTA_DST], &route.destination.address)))
		return;
	rtnl_drop_route(context, (int)mnl_attr_get_u32(attributes[RTA_OIF]), &route, NULL);
}

static void gather_route(void *context, const struct nlmsghdr *message)
{
	const struct nlattr *attributes[RTA_MAX + 1];
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct shared_address subnet = {0};

	if (!rtnl_parse(message, sizeof(*header), attributes, RTA_MAX))
		return;
	if (header->rtm_protocol != RTNL_ADDRESS_PROTOCOL || header->rtm_table != RT_TABLE_MAIN ||
	    !attributes[RTA_OIF] || mnl_attr_validate(attributes[RTA_OIF], MNL_TYPE_U32) < 0)
		return;
	if (attributes[RTA_GATEWAY]) {
		gather_gateway(context, header, attributes);
		return;
	}
	if (!rtnl_address_of(header->rtm_family, attributes[RTA_DST], &subnet.address))
		return;
	subnet.prefix_length = header->rtm_dst_len;
	rtnl_remove_route(context, (int)mnl_attr_get_u32(attributes[RTA_OIF]), &subnet, NULL);
}

static int gather(struct rtnl *rtnl)
{
	struct ifaddrmsg address = {.ifa_family = AF_UNSPEC};
	struct ndmsg neighbour = {.ndm_family = AF_BRIDGE};
	struct rtmsg route = {.rtm_family = AF_UNSPEC};
	const struct {
		struct rtnl_question question;
		rtnl_heard *heard;
	} parts[] = {
	        {{RTM_GETROUTE, &route, sizeof(route), 0}, gather_route},
	        {{RTM_GETADDR, &address, sizeof(address), 0}, gather_address},
	        {{RTM_GETNEIGH, &neighbour, sizeof(neighbour), 0}, gather_mac},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int error = rtnl_dump(rtnl, rtnl->asker, rtnl->input, sizeof(rtnl->input), &parts[i].question,
		                      parts[i].heard, rtnl);

		if (error)
			return error;
	}
	return 0;
}

/* A request that found nothing was for something gone by itself, or gathered twice by an interrupted dump. */
static int count_removed(const struct rtnl_batch *batch)
{
	int removed = 0, failure = 0;

	for (size_t i = 0; i < batch->count; i++) {
		const struct rtnl_request *request = &batch->requests[i];

		if (!request->error)
			removed++;
		else if (!rtnl_is_success(rtnl_batch_message(batch, request), request->error))
			failure = request->error;
	}
	return failure ? failure : removed;
}

int rtnl_clean(void)
{
	struct rtnl *rtnl = calloc(1, sizeof(*rtnl));
	int error;

	if (!rtnl)
		return -ENOMEM;
	error = rtnl_batch_init(&rtnl->batch);
	if (!error)
		error = rtnl_socket_open(&rtnl->asker);
	if (!error)
		error = gather(rtnl);
	if (!error)
		error = rtnl_batch_exchange(rtnl, &rtnl->batch);
	if (!error)
		error = count_removed(&rtnl->batch);
	rtnl_close(rtnl);
	return error;
}
