/*
 * One question to the kernel's routing table.
 */
#include "rtnl_private.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>

static int note_type(const struct nlmsghdr *message, void *context)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	bool *is_local = context;

	if (message->nlmsg_type == RTM_NEWROUTE)
		*is_local = route->rtm_type == RTN_LOCAL;
	return MNL_CB_OK;
}

struct listing {
	int link_index;
	struct rtnl_route *routes;
	size_t room, count;
};

static void note_route(void *context, const struct nlmsghdr *message)
{
	struct listing *listing = context;
	const struct nlattr *attributes[RTA_MAX + 1];
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct rtnl_route route = {0};

	if (!rtnl_parse(message, sizeof(*header), attributes, RTA_MAX) ||
	    header->rtm_table != RT_TABLE_MAIN ||
	    rtnl_u32(attributes[RTA_OIF], 0) != (uint32_t)listing->link_index ||
	    (header->rtm_protocol != RTPROT_BOOT && header->rtm_protocol != RTPROT_STATIC) ||
	    !rtnl_address_of(header->rtm_family, attributes[RTA_GATEWAY], &route.gateway))
		return;
	route.destination.address.family = route.gateway.family;
	if (attributes[RTA_DST] &&
	    !rtnl_address_of(header->rtm_family, attributes[RTA_DST], &route.destination.address))
		return;
	route.destination.prefix_length = header->rtm_dst_len;
	route.metric = rtnl_u32(attributes[RTA_PRIORITY], 0);
	if (listing->count < listing->room)
		listing->routes[listing->count++] = route;
}

size_t rtnl_list_routes(struct rtnl *rtnl, int link_index, struct rtnl_route *ret_routes, size_t room)
{
	struct rtmsg header = {.rtm_family = AF_INET};
	const struct rtnl_question question = {RTM_GETROUTE, &header, sizeof(header), 0};
	struct listing listing = {link_index, ret_routes, room, 0};

	/* Not the buffer of events, which may be under way. */
	(void)rtnl_dump(rtnl, rtnl->asker, rtnl->answers, sizeof(rtnl->answers), &question, note_route,
	                &listing);
	return listing.count;
}

bool rtnl_delivers_locally(struct rtnl *rtnl, int link_index, const struct address *address)
{
	_Alignas(8) uint8_t request[RTNL_REQUEST_BYTES_MAX];
	struct nlmsghdr *message = mnl_nlmsg_put_header(request);
	struct rtmsg *question;
	bool is_local = false;

	message->nlmsg_type = RTM_GETROUTE;
	message->nlmsg_flags = NLM_F_REQUEST;
	message->nlmsg_seq = ++rtnl->sequence;
	question = mnl_nlmsg_put_extra_header(message, sizeof(*question));
	question->rtm_family = address->family == FAMILY_IPV4 ? AF_INET : AF_INET6;
	question->rtm_dst_len = (uint8_t)(8 * address_bytes(address));
	mnl_attr_put(message, RTA_DST, address_bytes(address), address->bytes);
	if (address_is_link_local(address))
		mnl_attr_put_u32(message, RTA_OIF, (uint32_t)link_index);
	if (mnl_socket_sendto(rtnl->asker, message, message->nlmsg_len) < 0)
		return false;
	ssize_t length = mnl_socket_recvfrom(rtnl->asker, rtnl->answers, sizeof(rtnl->answers));
	if (length > 0)
		(void)mnl_cb_run(rtnl->answers, (size_t)length, message->nlmsg_seq,
		                 mnl_socket_get_portid(rtnl->asker), note_type, &is_local);
	return is_local;
}
