/*
 * The gate's programs at the hooks of tcx (Linux 6.6).  Debian 12's headers are of
 * Linux 6.1, so what the system call takes is written down here.
 */
#include "gate_hook_private.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROGRAMS_MAX 64 /* the kernel's own limit for one hook */

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

static uint32_t hook_type(enum gate_direction direction)
{
	return direction == GATE_IN ? TCX_INGRESS : TCX_INGRESS + 1;
}

/* In the order in which they run.  Returns their number or -errno. */
static int list(int link_index, enum gate_direction direction, uint32_t ret_ids[PROGRAMS_MAX])
{
	struct query_attr attr = {
	        .target_link_index = (uint32_t)link_index,
	        .type = hook_type(direction),
	        .program_ids = (uintptr_t)ret_ids,
	        .count = PROGRAMS_MAX,
	};
	int error = bpf_call(BPF_PROG_QUERY, &attr, sizeof(attr));

	if (error == -ENOENT) /* nothing was ever attached */
		return 0;
	return error < 0 ? error : (int)attr.count;
}

static int attach(int link_index, enum gate_direction direction, int program_fd)
{
	/* Before all others, as no relative program is named. */
	struct attach_attr attr = {
	        .target_link_index = (uint32_t)link_index,
	        .program_fd = (uint32_t)program_fd,
	        .type = hook_type(direction),
	        .flags = TCX_BEFORE,
	};

	return bpf_call(BPF_PROG_ATTACH, &attr, sizeof(attr));
}

int gate_tcx_detach(int link_index, enum gate_direction direction, int program_fd)
{
	struct attach_attr attr = {
	        .target_link_index = (uint32_t)link_index,
	        .program_fd = (uint32_t)program_fd,
	        .type = hook_type(direction),
	};

	return bpf_call(BPF_PROG_DETACH, &attr, sizeof(attr));
}

int gate_tcx_put_first(int link_index, enum gate_direction direction, const struct gate_program *program)
{
	uint32_t ids[PROGRAMS_MAX];
	int count = list(link_index, direction, ids);
	int error;

	if (count < 0)
		return count;
	if (count > 0 && ids[0] == program->id)
		return 0;
	for (int i = 1; i < count; i++) {
		if (ids[i] != program->id)
			continue;
		/* The kernel cannot move a program, so for some microseconds there is none. */
		error = gate_tcx_detach(link_index, direction, program->fd);
		if (error < 0)
			return error;
	}
	error = attach(link_index, direction, program->fd);
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

int gate_tcx_sweep(int link_index, enum gate_direction direction, uint32_t keep_id)
{
	uint32_t ids[PROGRAMS_MAX];
	int count = list(link_index, direction, ids);
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
		if (program_has_name(fd, gate_program_names[direction])) {
			error = gate_tcx_detach(link_index, direction, fd);
			swept++;
		}
		close(fd);
		if (error < 0)
			return error;
	}
	return count < 0 ? count : swept;
}

bool gate_tcx_exists(void)
{
	uint32_t ids[PROGRAMS_MAX];

	/* Link 1 is the loopback interface of every namespace. */
	return list(1, GATE_IN, ids) >= 0;
}
