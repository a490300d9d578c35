/*
 * From the skeleton to a struct gate: a few descriptors and mappings, which is all that stays.
 */
#include "gate_private.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gate_skel.h"

static int program_keep(int fd, struct gate_program *ret_program)
{
	struct bpf_prog_info info = {0};
	uint32_t bytes = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &bytes) < 0)
		return -errno;
	ret_program->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	ret_program->id = info.id;
	return ret_program->fd < 0 ? -errno : 0;
}

static int map_keep(const struct bpf_map *map)
{
	return fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 0);
}

/* Takes over what stays when the skeleton, some hundred kilobytes, is thrown away. */
static int gate_keep(struct gate *gate, const struct gate_bpf *object)
{
	int error = program_keep(bpf_program__fd(object->progs.carpd_gate_in), &gate->programs[GATE_IN]);

	if (error == 0)
		error = program_keep(bpf_program__fd(object->progs.carpd_gate_out),
		                     &gate->programs[GATE_OUT]);
	gate->ports_fd = map_keep(object->maps.ports);
	gate->vhosts_fd = map_keep(object->maps.vhosts);
	gate->addresses_fd = map_keep(object->maps.addresses);
	gate->counters_fd = map_keep(object->maps.counters);
	gate->shared_fd = map_keep(object->maps.bss);
	gate->ring_fd = map_keep(object->maps.ring);
	if (error == 0 && (gate->ports_fd < 0 || gate->vhosts_fd < 0 || gate->addresses_fd < 0 ||
	                   gate->counters_fd < 0 || gate->shared_fd < 0 || gate->ring_fd < 0))
		error = -EMFILE;
	return error;
}

static int gate_map(struct gate *gate)
{
	void *shared =
	        mmap(NULL, sizeof(*gate->shared), PROT_READ | PROT_WRITE, MAP_SHARED, gate->shared_fd, 0);

	if (shared == MAP_FAILED)
		return -errno;
	gate->shared = shared;
	return gate_ring_open(gate);
}

static struct gate *gate_new(void)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (!gate)
		return NULL;
	gate->programs[GATE_IN].fd = gate->programs[GATE_OUT].fd = -1;
	gate->ports_fd = gate->vhosts_fd = gate->addresses_fd = -1;
	gate->counters_fd = gate->shared_fd = gate->ring_fd = -1;
	gate->cpus = libbpf_num_possible_cpus();
	gate->hook = gate_hook_probe();
	return gate;
}

/* What the verifier says of the way that it refuses; memory that it does not fill costs nothing. */
#define LOG_BYTES (1 << 22)

static int load_with_log(struct gate_bpf *object, char *log, const char **ret_why)
{
	struct bpf_program *programs[] = {object->progs.carpd_gate_in, object->progs.carpd_gate_out};
	char *logs[GATE_DIRECTIONS] = {log, log + LOG_BYTES};
	int error;

	for (int i = 0; i < GATE_DIRECTIONS; i++)
		bpf_program__set_log_buf(programs[i], logs[i], LOG_BYTES);
	error = gate_bpf__load(object);
	for (int i = 0; error < 0 && i < GATE_DIRECTIONS; i++) {
		if (logs[i][0] != '\0') {
			*ret_why = gate_explain_refusal(gate_program_names[i], logs[i]);
			return error;
		}
	}
	if (error < 0)
		*ret_why = gate_explain_load(error);
	return error;
}

static int gate_load_object(struct gate *gate, const char **ret_why)
{
	char *log = calloc(GATE_DIRECTIONS, LOG_BYTES);
	struct gate_bpf *object;
	int error = -ENOMEM;

	libbpf_set_print(NULL);
	*ret_why = "out of memory";
	object = log ? gate_bpf__open() : NULL;
	if (object)
		error = load_with_log(object, log, ret_why);
	free(log);
	if (error < 0) {
		gate_bpf__destroy(object);
		return error;
	}
	error = gate_keep(gate, object);
	gate_bpf__destroy(object);
	malloc_trim(0);
	if (error == 0)
		error = gate_map(gate);
	if (error < 0)
		*ret_why = "its maps could not be kept open or mapped";
	return error;
}

int gate_load(struct gate **ret_gate, const char **ret_why)
{
	struct gate *gate = gate_new();
	int error;

	if (!gate) {
		*ret_why = "out of memory";
		return -ENOMEM;
	}
	error = gate_load_object(gate, ret_why);
	if (error < 0) {
		gate_unload(gate);
		return error;
	}
	*ret_gate = gate;
	return 0;
}

static void fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

void gate_unload(struct gate *gate)
{
	if (!gate)
		return;
	for (int port = 0; port < GATE_PORTS_MAX; port++)
		gate_port_unmap(gate, port);
	gate_ring_close(gate);
	if (gate->shared)
		munmap(gate->shared, sizeof(*gate->shared));
	for (int direction = 0; direction < GATE_DIRECTIONS; direction++)
		fd_close(gate->programs[direction].fd);
	fd_close(gate->ports_fd);
	fd_close(gate->vhosts_fd);
	fd_close(gate->addresses_fd);
	fd_close(gate->counters_fd);
	fd_close(gate->shared_fd);
	fd_close(gate->ring_fd);
	free(gate);
}
