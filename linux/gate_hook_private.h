/*
 * The two kinds of hook behind gate_hook.h, gate_tcx.c and gate_clsact.c.  All return -errno on failure.
 */
#ifndef CARPD_LINUX_GATE_HOOK_PRIVATE_H
#define CARPD_LINUX_GATE_HOOK_PRIVATE_H

#include <stdbool.h>

#include "gate_hook.h"

/* 0 if the program was the first of the hook already, 1 if it has been put there. */
int gate_tcx_put_first(int link_index, enum gate_direction direction, const struct gate_program *program);
int gate_clsact_put_first(int link_index, enum gate_direction direction, const struct gate_program *program);

/* Removes the gate's programs but the one with the id keep_id (0: all).  Returns their number. */
int gate_tcx_sweep(int link_index, enum gate_direction direction, uint32_t keep_id);
int gate_clsact_sweep(int link_index, enum gate_direction direction, uint32_t keep_id);

bool gate_tcx_exists(void);
int gate_tcx_detach(int link_index, enum gate_direction direction, int program_fd);

#endif
