#include "gate_hook_private.h"

#include <stddef.h>

const char *const gate_program_names[GATE_DIRECTIONS] = {"carpd_gate_in", "carpd_gate_out"};

enum gate_hook gate_hook_probe(void)
{
	return gate_tcx_exists() ? GATE_HOOK_TCX : GATE_HOOK_CLSACT;
}

int gate_hook_attach(enum gate_hook hook, int link_index, enum gate_direction direction,
                     const struct gate_program *program)
{
	if (hook == GATE_HOOK_TCX)
		return gate_tcx_put_first(link_index, direction, program);
	return gate_clsact_put_first(link_index, direction, program);
}

int gate_hook_detach(enum gate_hook hook, int link_index, enum gate_direction direction,
                     const struct gate_program *program)
{
	int swept;

	if (hook == GATE_HOOK_TCX)
		return gate_tcx_detach(link_index, direction, program->fd);
	swept = gate_clsact_sweep(link_index, direction, 0);
	return swept < 0 ? swept : 0;
}

int gate_hook_sweep(int link_index, enum gate_direction direction, const struct gate_program *keep)
{
	uint32_t keep_id = keep ? keep->id : 0;
	int tcx = gate_tcx_sweep(link_index, direction, keep_id);
	int clsact = gate_clsact_sweep(link_index, direction, keep_id);

	if (tcx < 0)
		return tcx;
	return clsact < 0 ? clsact : tcx + clsact;
}
