#include "disturb.h"

#include <inttypes.h>
#include <string.h>

#include "scenario_text.h"
#include "world.h"

static void cut(struct world *world, size_t from, size_t to, bool blocked)
{
	uint32_t bit = 1u << to;

	if (blocked)
		world->network.blocked[from] |= bit;
	else
		world->network.blocked[from] &= ~bit;
	check_cabling(world);
}

static void split(struct world *world, uint32_t side)
{
	for (size_t i = 0; i < HOSTS_MAX; i++)
		world->network.blocked[i] = (side & 1u << i) != 0 ? ~side : side;
	check_cabling(world);
}

static void heal(struct world *world)
{
	memset(world->network.blocked, 0, sizeof(world->network.blocked));
	check_cabling(world);
}

static void jam(struct world *world, struct host *host, bool jammed)
{
	host->kernel.jammed = jammed;
	check_trouble(world, host->index);
}

static void refuse(struct world *world, struct host *host, int64_t count)
{
	host->kernel.refusals = count;
	check_trouble(world, host->index);
}

static void disturb_host(struct world *world, const struct disturbance *disturbance)
{
	struct host *host = &world->hosts[disturbance->subject];
	int64_t argument = disturbance->argument;

	switch (disturbance->kind) {
	case DISTURB_PAUSE:
		host_pause(host, argument, false);
		break;
	case DISTURB_FREEZE:
		host_pause(host, argument, true);
		break;
	case DISTURB_STALL:
		host->stall_ns = argument;
		break;
	case DISTURB_CRASH:
		host_crash(host);
		break;
	case DISTURB_KILL:
		host_kill(host);
		break;
	case DISTURB_START:
		host_start(host);
		break;
	case DISTURB_STOP:
		host_stop(host);
		break;
	case DISTURB_HAND_OVER:
		host_hand_over(host);
		break;
	case DISTURB_DEMOTE:
		host_demote(host, (int)argument);
		break;
	case DISTURB_UNDEMOTE:
		host_undemote(host);
		break;
	case DISTURB_MAINTAIN:
		host_maintain(host);
		break;
	case DISTURB_UNPLUG:
		host_plug(host, (size_t)argument, false);
		break;
	case DISTURB_PLUG:
		host_plug(host, (size_t)argument, true);
		break;
	case DISTURB_JAM:
		jam(world, host, true);
		break;
	case DISTURB_UNJAM:
		jam(world, host, false);
		break;
	case DISTURB_REFUSE:
		refuse(world, host, argument);
		break;
	case DISTURB_RELOAD:
		host_reload(host, (unsigned)argument);
		break;
	case DISTURB_SNATCH:
		host_snatch(host);
		break;
	case DISTURB_WALL:
		host_step_wall(host, argument);
		break;
	case DISTURB_CUT:
	case DISTURB_JOIN:
		cut(world, (size_t)disturbance->subject, (size_t)argument, disturbance->kind == DISTURB_CUT);
		break;
	case DISTURB_SPLIT:
	case DISTURB_HEAL:
	case DISTURB_LOSE:
	case DISTURBANCE_KINDS:
		break;
	}
}

void disturb(struct world *world, const struct disturbance *disturbance)
{
	char text[DISTURBANCE_TEXT_MAX];

	scenario_print_disturbance(disturbance, text);
	trace_line(&world->trace, world->now_ns, "%s", text);
	if (disturbance->kind == DISTURB_SPLIT)
		split(world, (uint32_t)disturbance->subject);
	else if (disturbance->kind == DISTURB_HEAL)
		heal(world);
	else if (disturbance->kind == DISTURB_LOSE)
		world->network.loss_per_million = disturbance->subject;
	else
		disturb_host(world, disturbance);
}
