/*
 * One question to the kernel: which link has this as one of its alternative names.
 */
#include "rtnl_private.h"

#include <stdio.h>

static int note_name(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *attributes[IFLA_MAX + 1];
	char *name = context;

	if (message->nlmsg_type == RTM_NEWLINK &&
	    rtnl_parse(message, sizeof(struct ifinfomsg), attributes, IFLA_MAX) && attributes[IFLA_IFNAME])
		snprintf(name, IFNAMSIZ, "%.*s", (int)mnl_attr_get_payload_len(attributes[IFLA_IFNAME]),
		         mnl_attr_get_str(attributes[IFLA_IFNAME]));
	return MNL_CB_OK;
}

bool rtnl_find_name(struct rtnl *rtnl, const char *alternative, char ret_name[IFNAMSIZ])
{
	_Alignas(8) uint8_t request[RTNL_REQUEST_BYTES_MAX];
	struct nlmsghdr *message = mnl_nlmsg_put_header(request);
	char name[IFNAMSIZ] = "";

	message->nlmsg_type = RTM_GETLINK;
	message->nlmsg_flags = NLM_F_REQUEST;
	message->nlmsg_seq = ++rtnl->sequence;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	mnl_attr_put_strz(message, IFLA_ALT_IFNAME, alternative);
	if (mnl_socket_sendto(rtnl->asker, message, message->nlmsg_len) < 0)
		return false;
	ssize_t length = mnl_socket_recvfrom(rtnl->asker, rtnl->answers, sizeof(rtnl->answers));
	if (length > 0)
		(void)mnl_cb_run(rtnl->answers, (size_t)length, message->nlmsg_seq,
		                 mnl_socket_get_portid(rtnl->asker), note_name, name);
	if (name[0] == '\0')
		return false;
	snprintf(ret_name, IFNAMSIZ, "%s", name);
	return true;
}
