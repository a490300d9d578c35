/*
 * What we ask the kernel to change, and when that has succeeded.
 */
#include "linux/rtnl_private.h"

#include <errno.h>
#include <linux/neighbour.h>

#include <sys/socket.h>

static uint8_t system_family(const struct address *address)
{
	return address->family == FAMILY_IPV4 ? AF_INET : AF_INET6;
}

static uint8_t full_length(const struct address *address)
{
	return (uint8_t)(8 * address_bytes(address));
}

static void put_address_header(struct nlmsghdr *message, int link_index, const struct address *address,
                               uint8_t length, uint8_t scope)
{
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->ifa_family = system_family(address);
	header->ifa_prefixlen = length;
	header->ifa_scope = scope;
	header->ifa_index = (unsigned int)link_index;
	mnl_attr_put(message, IFA_LOCAL, address_bytes(address), address->bytes);
	/*
	 * Without IFA_ADDRESS the kernel does not compare the prefix length when it
	 * drops, and an administrator's 10.0.0.5/24 would go in place of our /32.
	 */
	mnl_attr_put(message, IFA_ADDRESS, address_bytes(address), address->bytes);
}

static int ask_take(struct rtnl *rtnl, int link_index, const struct address *address, uint8_t length,
                    struct rtnl_address_flags flags, void *tag)
{
	bool ipv4 = address->family == FAMILY_IPV4;
	/*
	 * Exclusive, not replacing: that would put our mark, and for IPv6 our
	 * lifetime, on an administrator's own address.
	 */
	struct nlmsghdr *message = rtnl_batch_begin(&rtnl->batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);

	if (!message)
		return -ENOMEM;
	put_address_header(message, link_index, address, length,
	                   ipv4 && flags.scope_host ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE);
	mnl_attr_put_u32(message, IFA_FLAGS, IFA_F_NOPREFIXROUTE | (ipv4 ? 0 : IFA_F_NODAD));
	if (!ipv4) {
		/* Deprecated, else the host begins its own connections from it (doc/linux.md 7.1). */
		struct ifa_cacheinfo lifetime = {.ifa_prefered = 0, .ifa_valid = UINT32_MAX};

		mnl_attr_put(message, IFA_CACHEINFO, sizeof(lifetime), &lifetime);
	}
	mnl_attr_put_u8(message, IFA_PROTO, RTNL_ADDRESS_PROTOCOL);
	mnl_attr_put_u32(message, IFA_RT_PRIORITY, RTNL_ADDRESS_PROTOCOL);
	return rtnl_batch_finish(&rtnl->batch, message, tag);
}

static int ask_drop(struct rtnl *rtnl, int link_index, const struct address *address, uint8_t length,
                    void *tag)
{
	struct nlmsghdr *message = rtnl_batch_begin(&rtnl->batch, RTM_DELADDR, 0);

	if (!message)
		return -ENOMEM;
	put_address_header(message, link_index, address, length, RT_SCOPE_UNIVERSE);
	return rtnl_batch_finish(&rtnl->batch, message, tag);
}

int rtnl_take_address(struct rtnl *rtnl, int link_index, const struct address *address,
                      struct rtnl_address_flags flags, void *tag)
{
	return ask_take(rtnl, link_index, address, full_length(address), flags, tag);
}

int rtnl_drop_address(struct rtnl *rtnl, int link_index, const struct address *address, void *tag)
{
	return ask_drop(rtnl, link_index, address, full_length(address), tag);
}

/*
 * The kernel cannot change a scope, and removes all routes of an interface whose last IPv4
 * address goes.  So the same address with another prefix length, which is another one to the
 * kernel, stands in meanwhile.
 */
int rtnl_rescope_address(struct rtnl *rtnl, int link_index, const struct address *address,
                         struct rtnl_address_flags flags, void *tag)
{
	uint8_t length = full_length(address), stand_in = (uint8_t)(length - 1);
	int error = ask_take(rtnl, link_index, address, stand_in, flags, tag);

	if (!error)
		error = ask_drop(rtnl, link_index, address, length, tag);
	if (!error)
		error = ask_take(rtnl, link_index, address, length, flags, tag);
	if (!error)
		error = ask_drop(rtnl, link_index, address, stand_in, tag);
	return error;
}

struct address rtnl_network_of(const struct shared_address *subnet)
{
	struct address network = subnet->address;

	for (size_t i = 0; i < address_bytes(&network); i++) {
		int bits = subnet->prefix_length - 8 * (int)i;

		if (bits <= 0)
			network.bytes[i] = 0;
		else if (bits < 8)
			network.bytes[i] &= (uint8_t)(0xff << (8 - bits));
	}
	return network;
}

static int ask_route(struct rtnl *rtnl, uint16_t type, uint16_t flags, int link_index,
                     const struct shared_address *subnet, void *tag)
{
	struct address network = rtnl_network_of(subnet);
	struct nlmsghdr *message = rtnl_batch_begin(&rtnl->batch, type, flags);
	struct rtmsg *header;

	if (!message)
		return -ENOMEM;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->rtm_family = system_family(&network);
	header->rtm_dst_len = subnet->prefix_length;
	header->rtm_table = RT_TABLE_MAIN;
	/* It also keeps a removal from an administrator's route to the same subnet. */
	header->rtm_protocol = RTNL_ADDRESS_PROTOCOL;
	header->rtm_scope = network.family == FAMILY_IPV4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	header->rtm_type = RTN_UNICAST;
	mnl_attr_put(message, RTA_DST, address_bytes(&network), network.bytes);
	mnl_attr_put_u32(message, RTA_OIF, (uint32_t)link_index);
	return rtnl_batch_finish(&rtnl->batch, message, tag);
}

int rtnl_add_route(struct rtnl *rtnl, int link_index, const struct shared_address *subnet, void *tag)
{
	return ask_route(rtnl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, link_index, subnet, tag);
}

int rtnl_remove_route(struct rtnl *rtnl, int link_index, const struct shared_address *subnet, void *tag)
{
	return ask_route(rtnl, RTM_DELROUTE, 0, link_index, subnet, tag);
}

/* On the link whatever the kernel thinks of the gateway's subnet: its order with the addresses does not
 * matter. */
static int ask_gateway(struct rtnl *rtnl, uint16_t type, uint16_t flags, int link_index,
                       const struct rtnl_route *route, void *tag)
{
	struct nlmsghdr *message = rtnl_batch_begin(&rtnl->batch, type, flags);
	struct rtmsg *header;

	if (!message)
		return -ENOMEM;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->rtm_family = system_family(&route->gateway);
	header->rtm_dst_len = route->destination.prefix_length;
	header->rtm_table = RT_TABLE_MAIN;
	header->rtm_protocol = RTNL_ADDRESS_PROTOCOL;
	header->rtm_scope = RT_SCOPE_UNIVERSE;
	header->rtm_type = RTN_UNICAST;
	header->rtm_flags = RTNH_F_ONLINK;
	if (route->destination.prefix_length > 0)
		mnl_attr_put(message, RTA_DST, address_bytes(&route->gateway),
		             route->destination.address.bytes);
	mnl_attr_put(message, RTA_GATEWAY, address_bytes(&route->gateway), route->gateway.bytes);
	mnl_attr_put_u32(message, RTA_OIF, (uint32_t)link_index);
	if (route->metric != 0)
		mnl_attr_put_u32(message, RTA_PRIORITY, route->metric);
	return rtnl_batch_finish(&rtnl->batch, message, tag);
}

int rtnl_take_route(struct rtnl *rtnl, int link_index, const struct rtnl_route *route, void *tag)
{
	return ask_gateway(rtnl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, link_index, route, tag);
}

int rtnl_drop_route(struct rtnl *rtnl, int link_index, const struct rtnl_route *route, void *tag)
{
	return ask_gateway(rtnl, RTM_DELROUTE, 0, link_index, route, tag);
}

static int ask_neighbour(struct rtnl *rtnl, uint16_t type, uint16_t flags, int link_index,
                         const struct mac *mac, void *tag)
{
	struct nlmsghdr *message = rtnl_batch_begin(&rtnl->batch, type, flags);
	struct ndmsg *header;

	if (!message)
		return -ENOMEM;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->ndm_family = AF_BRIDGE;
	header->ndm_ifindex = link_index;
	header->ndm_state = NUD_PERMANENT;
	header->ndm_flags = NTF_SELF;
	mnl_attr_put(message, NDA_LLADDR, sizeof(mac->bytes), mac->bytes);
	return rtnl_batch_finish(&rtnl->batch, message, tag);
}

int rtnl_learn_mac(struct rtnl *rtnl, int link_index, const struct mac *mac, void *tag)
{
	/* The bridge has usually learned the virtual MAC from the master before us (doc/linux.md 5.2). */
	return ask_neighbour(rtnl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, link_index, mac, tag);
}

int rtnl_forget_mac(struct rtnl *rtnl, int link_index, const struct mac *mac, void *tag)
{
	return ask_neighbour(rtnl, RTM_DELNEIGH, 0, link_index, mac, tag);
}

bool rtnl_is_success(const struct nlmsghdr *message, int error)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);

	switch (message->nlmsg_type) {
	case RTM_NEWADDR:
		return error == -EEXIST;
	case RTM_NEWROUTE:
		/* The route to a subnet serves whoever made it; one through a gateway may be another. */
		return error == -EEXIST && !(route->rtm_flags & RTNH_F_ONLINK);
	case RTM_DELADDR:
		/* ENXIO: IPv6 has been switched off on the link, and its addresses with it. */
		return error == -EADDRNOTAVAIL || error == -ENODEV || error == -ENXIO;
	case RTM_DELROUTE:
		return error == -ESRCH || error == -ENODEV || error == -ENXIO;
	case RTM_DELNEIGH:
		return error == -ENOENT || error == -ENODEV;
	default:
		return false;
	}
}

int rtnl_commit(struct rtnl *rtnl, rtnl_result *result, void *context)
{
	/* Taken out, so that result may gather and commit anew. */
	struct rtnl_batch batch = rtnl->batch;
	int error;

	rtnl->batch = (struct rtnl_batch){0};
	error = rtnl_batch_exchange(rtnl, &batch);
	for (size_t i = 0; i < batch.count; i++) {
		const struct rtnl_request *request = &batch.requests[i];
		bool success = rtnl_is_success(rtnl_batch_message(&batch, request), request->error);

		result(context, request->tag, success ? 0 : request->error,
		       success || !request->text ? "" : request->text);
	}
	rtnl_batch_empty(&batch);
	if (rtnl->batch.count_room)
		rtnl_batch_free(&batch);
	else
		rtnl->batch = batch;
	return error;
}
