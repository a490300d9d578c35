#include "gate_hook.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROGRAMS_MAX 64 /* the kernel's own limit for one tcx hook */

static const char *const program_names[GATE_DIRECTIONS] = {"carpd_gate_in", "carpd_gate_out"};

/*
 * tcx.  Debian 12's headers are of Linux 6.1, so what the system call takes is written down here.
 */

#define TCX_INGRESS 46 /* BPF_TCX_INGRESS, BPF_TCX_EGRESS follows */
#define TCX_BEFORE  (1U << 3)

struct attach_attr {
	uint32_t target_link_index;
	uint32_t program_fd;
	uint32_t type;
	uint32_t flags;
	uint32_t replace_fd;
	uint32_t relative_fd;
	uint64_t expected_revision;
};

struct query_attr {
	uint32_t target_link_index;
	uint32_t type;
	uint32_t query_flags;
	uint32_t attach_flags;
	uint64_t program_ids;
	uint32_t count;
	uint32_t pad;
	uint64_t program_flags;
	uint64_t link_ids;
	uint64_t link_flags;
	uint64_t revision;
};

struct info_attr {
	uint32_t fd;
	uint32_t info_bytes;
	uint64_t info;
};

static int bpf_call(enum bpf_cmd command, void *attr, size_t bytes)
{
	long result = syscall(SYS_bpf, command, attr, bytes);

	return result < 0 ? -errno : (int)result;
}

static uint32_t tcx_type(enum gate_direction direction)
{
	return direction == GATE_IN ? TCX_INGRESS : TCX_INGRESS + 1;
}

/* In the order in which they run.  Returns their number or -errno. */
static int tcx_list(int link_index, enum gate_direction direction, uint32_t ret_ids[PROGRAMS_MAX])
{
	struct query_attr attr = {
	        .target_link_index = (uint32_t)link_index,
	        .type = tcx_type(direction),
	        .program_ids = (uintptr_t)ret_ids,
	        .count = PROGRAMS_MAX,
	};
	int error = bpf_call(BPF_PROG_QUERY, &attr, sizeof(attr));

	if (error == -ENOENT) /* nothing was ever attached */
		return 0;
	return error < 0 ? error : (int)attr.count;
}

static int tcx_attach(int link_index, enum gate_direction direction, int program_fd)
{
	/* Before all others, as no relative program is named. */
	struct attach_attr attr = {
	        .target_link_index = (uint32_t)link_index,
	        .program_fd = (uint32_t)program_fd,
	        .type = tcx_type(direction),
	        .flags = TCX_BEFORE,
	};

	return bpf_call(BPF_PROG_ATTACH, &attr, sizeof(attr));
}

static int tcx_detach(int link_index, enum gate_direction direction, int program_fd)
{
	struct attach_attr attr = {
	        .target_link_index = (uint32_t)link_index,
	        .program_fd = (uint32_t)program_fd,
	        .type = tcx_type(direction),
	};

	return bpf_call(BPF_PROG_DETACH, &attr, sizeof(attr));
}

static int tcx_put_first(int link_index, enum gate_direction direction, const struct gate_program *program)
{
	uint32_t ids[PROGRAMS_MAX];
	int count = tcx_list(link_index, direction, ids);
	int error;

	if (count < 0)
		return count;
	if (count > 0 && ids[0] == program->id)
		return 0;
	for (int i = 1; i < count; i++) {
		if (ids[i] != program->id)
			continue;
		/* The kernel cannot move a program, so for some microseconds there is none. */
		error = tcx_detach(link_index, direction, program->fd);
		if (error < 0)
			return error;
	}
	error = tcx_attach(link_index, direction, program->fd);
	return error < 0 ? error : 1;
}

static int program_open(uint32_t id)
{
	uint32_t attr[4] = {id};

	return bpf_call(BPF_PROG_GET_FD_BY_ID, attr, sizeof(attr));
}

static bool program_has_name(int fd, const char *name)
{
	struct bpf_prog_info info = {0};
	struct info_attr attr = {(uint32_t)fd, sizeof(info), (uintptr_t)&info};

	if (bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) < 0)
		return false;
	return strncmp(info.name, name, sizeof(info.name)) == 0;
}

static int tcx_sweep(int link_index, enum gate_direction direction, uint32_t keep_id)
{
	uint32_t ids[PROGRAMS_MAX];
	int count = tcx_list(link_index, direction, ids);
	int swept = 0;

	if (count == -EINVAL) /* a kernel without tcx */
		return 0;
	for (int i = 0; i < count; i++) {
		int fd, error = 0;

		if (ids[i] == keep_id)
			continue;
		fd = program_open(ids[i]);
		if (fd < 0)
			continue;
		if (program_has_name(fd, program_names[direction])) {
			error = tcx_detach(link_index, direction, fd);
			swept++;
		}
		close(fd);
		if (error < 0)
			return error;
	}
	return count < 0 ? count : swept;
}

/*
 * clsact.  A filter of ours has priority 1, the least there is, and one of two handles, so that it can be put
 * in front of a filter that has taken its place before the old one goes: the newest of a priority runs first.
 */

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

struct filters {
	int count;
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
	if (header->nlmsg_type != RTM_NEWTFILTER || tc->tcm_handle == 0 || filters->count == FILTERS_MAX)
		return MNL_CB_OK;
	mnl_attr_parse(header, sizeof(*tc), filter_read_attr, &filter);
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
	mnl_attr_put_strz(header, TCA_BPF_NAME, program_names[direction]);
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
	mnl_attr_put_u32(header, TCA_CHAIN, filter->chain);
	return request_run(header, NULL, NULL);
}

static bool filter_is_gate(const struct filter *filter, enum gate_direction direction)
{
	return filter->program_id && strcmp(filter->name, program_names[direction]) == 0;
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

static int clsact_put_first(int link_index, enum gate_direction direction, const struct gate_program *program)
{
	struct filters filters;
	int error = clsact_list(link_index, direction, &filters);

	if (error < 0)
		return error;
	if (filters.count > 0 && filters.list[0].program_id == program->id)
		return 0;
	error = clsact_change(RTM_NEWQDISC, link_index);
	if (error < 0 && error != -EEXIST)
		return error;
	error = filter_add(link_index, direction, handle_unused(&filters), program->fd);
	if (error < 0)
		return error;
	for (int i = 0; i < filters.count; i++)
		if (filter_is_gate(&filters.list[i], direction))
			(void)filter_remove(link_index, direction, &filters.list[i]);
	return 1;
}

/* A clsact that others use stays, and so does one that had nothing of ours. */
static void clsact_remove_unused(int link_index)
{
	struct filters filters;

	for (int direction = 0; direction < GATE_DIRECTIONS; direction++)
		if (clsact_list(link_index, (enum gate_direction)direction, &filters) < 0 ||
		    filters.count > 0)
			return;
	(void)clsact_change(RTM_DELQDISC, link_index);
}

static int clsact_sweep(int link_index, enum gate_direction direction, uint32_t keep_id)
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

enum gate_hook gate_hook_probe(void)
{
	uint32_t ids[PROGRAMS_MAX];

	/* Link 1 is the loopback interface of every namespace. */
	return tcx_list(1, GATE_IN, ids) == -EINVAL ? GATE_HOOK_CLSACT : GATE_HOOK_TCX;
}

int gate_hook_attach(enum gate_hook hook, int link_index, enum gate_direction direction,
                     const struct gate_program *program)
{
	if (hook == GATE_HOOK_TCX)
		return tcx_put_first(link_index, direction, program);
	return clsact_put_first(link_index, direction, program);
}

int gate_hook_detach(enum gate_hook hook, int link_index, enum gate_direction direction,
                     const struct gate_program *program)
{
	int swept;

	if (hook == GATE_HOOK_TCX)
		return tcx_detach(link_index, direction, program->fd);
	swept = clsact_sweep(link_index, direction, 0);
	return swept < 0 ? swept : 0;
}

int gate_hook_sweep(int link_index, enum gate_direction direction, const struct gate_program *keep)
{
	uint32_t keep_id = keep ? keep->id : 0;
	int tcx = tcx_sweep(link_index, direction, keep_id);
	int clsact = clsact_sweep(link_index, direction, keep_id);

	if (tcx < 0)
		return tcx;
	return clsact < 0 ? clsact : tcx + clsact;
}
