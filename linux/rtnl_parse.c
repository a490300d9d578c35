/*
 * Attributes, and the addresses among them: what a message says.
 */
#include "linux/rtnl_private.h"

#include <string.h>

#include <sys/socket.h>

void rtnl_index_attributes(const void *start, size_t bytes, const struct nlattr **attributes, uint16_t last)
{
	const struct nlattr *attribute = start;
	int left = (int)bytes;

	for (uint16_t i = 0; i <= last; i++)
		attributes[i] = NULL;
	for (; mnl_attr_ok(attribute, left); attribute = mnl_attr_next(attribute)) {
		uint16_t type = mnl_attr_get_type(attribute);

		if (type <= last)
			attributes[type] = attribute;
		left -= (int)MNL_ALIGN(mnl_attr_get_len(attribute));
	}
}

uint32_t rtnl_u32(const struct nlattr *attribute, uint32_t otherwise)
{
	if (!attribute || mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
		return otherwise;
	return mnl_attr_get_u32(attribute);
}

uint8_t rtnl_u8(const struct nlattr *attribute, uint8_t otherwise)
{
	if (!attribute || mnl_attr_validate(attribute, MNL_TYPE_U8) < 0)
		return otherwise;
	return mnl_attr_get_u8(attribute);
}

bool rtnl_parse(const struct nlmsghdr *message, size_t header_bytes, const struct nlattr **attributes,
                uint16_t last)
{
	size_t skipped = NLMSG_ALIGN(header_bytes);

	if (mnl_nlmsg_get_payload_len(message) < skipped)
		return false;
	rtnl_index_attributes(mnl_nlmsg_get_payload_offset(message, skipped),
	                      mnl_nlmsg_get_payload_len(message) - skipped, attributes, last);
	return true;
}

bool rtnl_address_of(uint8_t family, const struct nlattr *attribute, struct address *ret_address)
{
	struct address address = {.family = family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6};

	if (family != AF_INET && family != AF_INET6)
		return false;
	if (!attribute || mnl_attr_get_payload_len(attribute) != address_bytes(&address))
		return false;
	memcpy(address.bytes, mnl_attr_get_payload(attribute), address_bytes(&address));
	*ret_address = address;
	return true;
}

/* Nobody gives a metric to an address without a prefix route, which is what it is for, unless as a mark. */
static bool has_metric_mark(const struct nlattr *const *attributes, uint32_t flags)
{
	return !attributes[IFA_PROTO] && (flags & IFA_F_NOPREFIXROUTE) &&
	       rtnl_u32(attributes[IFA_RT_PRIORITY], 0) == RTNL_ADDRESS_PROTOCOL;
}

bool rtnl_parse_address(const struct nlmsghdr *message, struct rtnl_address *ret_address)
{
	const struct nlattr *attributes[IFA_MAX + 1];
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct rtnl_address address = {0};
	const struct nlattr *local;
	uint32_t flags;

	if (!rtnl_parse(message, sizeof(*header), attributes, IFA_MAX))
		return false;
	/* On a point-to-point link IFA_ADDRESS is the other end. */
	local = attributes[IFA_LOCAL] ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
	if (!rtnl_address_of(header->ifa_family, local, &address.address.address))
		return false;
	flags = rtnl_u32(attributes[IFA_FLAGS], header->ifa_flags);
	address.link_index = (int)header->ifa_index;
	address.address.prefix_length = header->ifa_prefixlen;
	address.protocol = rtnl_u8(attributes[IFA_PROTO], 0);
	if (has_metric_mark(attributes, flags))
		address.protocol = RTNL_ADDRESS_PROTOCOL;
	address.scope_host = header->ifa_scope == RT_SCOPE_HOST;
	address.tentative = flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED);
	/* Of IPv4 the same bit says that it is a secondary one. */
	address.fleeting = flags & (IFA_F_TEMPORARY | IFA_F_DEPRECATED);
	*ret_address = address;
	return true;
}
