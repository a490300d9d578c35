/*
 * The gate's programs as filters of a clsact qdisc.  A filter of ours has priority 1, the least there is,
 * and one of two handles, so that it can be put in front of a filter that has taken its place before the old
 * one goes: the newest of a priority runs first.
 */
#include "gate_hook_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>

#define FILTER_PRIORITY 1
#define FILTER_HANDLE   0xca1
#define FILTERS_MAX     64
#define REQUEST_BYTES   512

struct filter {
	uint32_t handle;
	uint32_t info; /* priority and protocol, as the kernel packs them */
	uint32_t chain;
	bool is_program;
	uint32_t program_id; /* 0 for a filter that is no program */
	char name[32];
};

/* Those of the chain that every frame begins in, ours among them. */
struct filters {
	int count;
	bool others; /* in chains that some rule jumps to */
	struct filter list[FILTERS_MAX];
};

static uint32_t clsact_parent(enum gate_direction direction)
{
	return TC_H_MAKE(TC_H_CLSACT, direction == GATE_IN ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

static struct tcmsg *request_begin(void *buffer, int type, unsigned int flags, int link_index)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct tcmsg *tc;

	header->nlmsg_type = (uint16_t)type;
	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	header->nlmsg_seq = 1;
	tc = mnl_nlmsg_put_extra_header(header, sizeof(*tc));
	tc->tcm_family = AF_UNSPEC;
	tc->tcm_ifindex = link_index;
	return tc;
}

/* Sends a request and hears the answers until the last.  0 or -errno. */
static int request_run(const struct nlmsghdr *header, mnl_cb_t callback, void *context)
{
	char buffer[16384];
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int result = MNL_CB_OK;
	ssize_t bytes;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		result = MNL_CB_ERROR;
	while (result == MNL_CB_OK) {
		bytes = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (bytes < 0)
			result = MNL_CB_ERROR;
		else
			result = mnl_cb_run(buffer, (size_t)bytes, 1, mnl_socket_get_portid(socket), callback,
			                    context);
	}
	result = result == MNL_CB_ERROR ? -errno : 0;
	mnl_socket_close(socket);
	return result;
}

static int filter_read_option(const struct nlattr *attr, void *context)
{
	struct filter *filter = context;

	if (mnl_attr_get_type(attr) == TCA_BPF_ID && mnl_attr_get_payload_len(attr) == 4)
		filter->program_id = mnl_attr_get_u32(attr);
	if (mnl_attr_get_type(attr) == TCA_BPF_NAME)
		strncpy(filter->name, mnl_attr_get_str(attr), sizeof(filter->name) - 1);
	return MNL_CB_OK;
}

/* The kind comes before the options, and only a program's are read. */
static int filter_read_attr(const struct nlattr *attr, void *context)
{
	struct filter *filter = context;

	if (mnl_attr_get_type(attr) == TCA_KIND)
		filter->is_program = strcmp(mnl_attr_get_str(attr), "bpf") == 0;
	if (mnl_attr_get_type(attr) == TCA_CHAIN)
		filter->chain = mnl_attr_get_u32(attr);
	if (mnl_attr_get_type(attr) == TCA_OPTIONS && filter->is_program)
		mnl_attr_parse_nested(attr, filter_read_option, filter);
	return MNL_CB_OK;
}

static int filter_read(const struct nlmsghdr *header, void *context)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(header);
	struct filters *filters = context;
	struct filter filter = {.handle = tc->tcm_handle, .info = tc->tcm_info};

	/* Without a handle it is the heading of a priority, no filter. */
	if (header->nlmsg_type != RTM_NEWTFILTER || tc->tcm_handle == 0)
		return MNL_CB_OK;
	mnl_attr_parse(header, sizeof(*tc), filter_read_attr, &filter);
	if (filter.chain != 0)
		filters->others = true;
	else if (filters->count < FILTERS_MAX)
		filters->list[filters->count++] = filter;
	return MNL_CB_OK;
}

/* In the order in which they run.  An interface without clsact has none. */
static int clsact_list(int link_index, enum gate_direction direction, struct filters *ret_filters)
{
	char buffer[REQUEST_BYTES];
	struct tcmsg *tc = request_begin(buffer, RTM_GETTFILTER, NLM_F_DUMP, link_index);
	int error;

	tc->tcm_parent = clsact_parent(direction);
	ret_filters->count = 0;
	ret_filters->others = false;
	error = request_run((const struct nlmsghdr *)(void *)buffer, filter_read, ret_filters);
	return error == -EINVAL || error == -ENOENT ? 0 : error;
}

static int clsact_change(int type, int link_index)
{
	char buffer[REQUEST_BYTES];
	unsigned int flags = NLM_F_ACK | (type == RTM_NEWQDISC ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct tcmsg *tc = request_begin(buffer, type, flags, link_index);
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)buffer;

	tc->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	tc->tcm_parent = TC_H_CLSACT;
	mnl_attr_put_strz(header, TCA_KIND, "clsact");
	return request_run(header, NULL, NULL);
}

/*
 * The kernel says that it exists also where another qdisc has the place: "ingress", which has no hook for
 * what leaves and takes filters for that hook in the other's stead.  Only a question by name tells them
 * apart.  0 if it was there, 1 if it was made, or -errno.
 */
static int clsact_make(int link_index)
{
	int error = clsact_change(RTM_NEWQDISC, link_index);

	if (error == -EEXIST && clsact_change(RTM_GETQDISC, link_index) == 0)
		return 0;
	return error < 0 ? error : 1;
}

static int filter_add(int link_index, enum gate_direction direction, uint32_t handle, int program_fd)
{
	char buffer[REQUEST_BYTES];
	struct tcmsg *tc =
	        request_begin(buffer, RTM_NEWTFILTER, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, link_index);
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)buffer;
	struct nlattr *options;

	tc->tcm_parent = clsact_parent(direction);
	tc->tcm_handle = handle;
	tc->tcm_info = TC_H_MAKE(FILTER_PRIORITY << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(header, TCA_KIND, "bpf");
	options = mnl_attr_nest_start(header, TCA_OPTIONS);
	mnl_attr_put_u32(header, TCA_BPF_FD, (uint32_t)program_fd);
	mnl_attr_put_strz(header, TCA_BPF_NAME, gate_program_names[direction]);
	mnl_attr_put_u32(header, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(header, options);
	return request_run(header, NULL, NULL);
}

static int filter_remove(int link_index, enum gate_direction direction, const struct filter *filter)
{
	char buffer[REQUEST_BYTES];
	struct tcmsg *tc = request_begin(buffer, RTM_DELTFILTER, NLM_F_ACK, link_index);
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)buffer;

	tc->tcm_parent = clsact_parent(direction);
	tc->tcm_handle = filter->handle;
	tc->tcm_info = filter->info;
	mnl_attr_put_strz(header, TCA_KIND, "bpf");
	return request_run(header, NULL, NULL);
}

static bool filter_is_gate(const struct filter *filter, enum gate_direction direction)
{
	return filter->program_id && strcmp(filter->name, gate_program_names[direction]) == 0;
}

static uint32_t handle_unused(const struct filters *filters)
{
	uint32_t handle = FILTER_HANDLE;

	for (int i = 0; i < filters->count; i++) {
		if (filters->list[i].info >> 16 == FILTER_PRIORITY && filters->list[i].handle == handle) {
			handle++;
			i = -1;
		}
	}
	return handle;
}

/* A clsact that others use stays, and so does one that had nothing of ours. */
static void clsact_remove_unused(int link_index)
{
	struct filters filters;

	for (int direction = 0; direction < GATE_DIRECTIONS; direction++)
		if (clsact_list(link_index, (enum gate_direction)direction, &filters) < 0 ||
		    filters.count > 0 || filters.others)
			return;
	(void)clsact_change(RTM_DELQDISC, link_index);
}

int gate_clsact_put_first(int link_index, enum gate_direction direction, const struct gate_program *program)
{
	struct filters filters;
	int error = clsact_list(link_index, direction, &filters);
	int made;

	if (error < 0)
		return error;
	if (filters.count > 0 && filters.list[0].program_id == program->id)
		return 0;
	made = clsact_make(link_index);
	if (made < 0)
		return made;
	error = filter_add(link_index, direction, handle_unused(&filters), program->fd);
	/* A priority has filters of one protocol and one kind, and another than ours has the first. */
	if (error == -EINVAL && filters.count > 0)
		return -EBUSY;
	if (error < 0) {
		if (made)
			(void)clsact_change(RTM_DELQDISC, link_index);
		return error;
	}
	for (int i = 0; i < filters.count; i++)
		if (filter_is_gate(&filters.list[i], direction))
			(void)filter_remove(link_index, direction, &filters.list[i]);
	return 1;
}

int gate_clsact_sweep(int link_index, enum gate_direction direction, uint32_t keep_id)
{
	struct filters filters;
	int error = clsact_list(link_index, direction, &filters);
	int swept = 0;

	for (int i = 0; error == 0 && i < filters.count; i++) {
		if (!filter_is_gate(&filters.list[i], direction) || filters.list[i].program_id == keep_id)
			continue;
		error = filter_remove(link_index, direction, &filters.list[i]);
		swept += error == 0;
	}
	if (swept > 0)
		clsact_remove_unused(link_index);
	return error < 0 ? error : swept;
}
