/*
 * Where the gate's programs hang: at the two tc hooks of an interface, by tcx
 * (Linux 6.6) or as filters of a clsact qdisc.  Either way they stay when the
 * process ends (doc/linux.md 1).
 */
#ifndef CARPD_LINUX_GATE_HOOK_H
#define CARPD_LINUX_GATE_HOOK_H

#include <stdint.h>

enum gate_hook {
	GATE_HOOK_TCX,
	GATE_HOOK_CLSACT,
};

enum gate_direction {
	GATE_IN,
	GATE_OUT,
	GATE_DIRECTIONS,
};

struct gate_program {
	int fd;
	uint32_t id;
};

/* The names that tell the gate's programs from others, also those of an earlier run. */
extern const char *const gate_program_names[GATE_DIRECTIONS];

/* What this kernel has. */
enum gate_hook gate_hook_probe(void);

/*
 * Makes the program the first one of the hook.  Returns 0 if it already was, 1
 * if it has been put there, or -errno.
 */
int gate_hook_attach(enum gate_hook hook, int link_index, enum gate_direction direction,
                     const struct gate_program *program);

/*
 * Removes the gate's programs from both kinds of hook, by their names, except keep
 * (which may be NULL).  Without CAP_SYS_ADMIN it finds filters only, no programs of tcx.
 * Returns their number or -errno.
 */
int gate_hook_sweep(int link_index, enum gate_direction direction, const struct gate_program *keep);

/* Removes this program; CAP_NET_ADMIN is enough.  0 or -errno. */
int gate_hook_detach(enum gate_hook hook, int link_index, enum gate_direction direction,
                     const struct gate_program *program);

#endif
