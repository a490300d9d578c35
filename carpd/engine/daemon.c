#include "daemon.h"

#include <stdlib.h>
#include <time.h>

/* The value of maintenance: further back than anything that goes wrong by itself. */
#define MAINTENANCE_VALUE 254

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

instant daemon_read_clock(struct daemon *daemon)
{
	daemon->now = (instant){clock_ns(CLOCK_BOOTTIME)};
	daemon->engine->wall_offset_ns = clock_ns(CLOCK_REALTIME) - daemon->now.ns;
	return daemon->now;
}

const struct group *daemon_find_group(const struct daemon *daemon, int link_index,
                                      const struct address *address)
{
	for (size_t g = 0; g < daemon->engine->settings->group_count; g++) {
		const struct group *group = &daemon->engine->groups[g];
		if (daemon_interface_of(daemon, group)->link.index == link_index &&
		    runtime_shares(group->settings, address))
			return group;
	}
	return NULL;
}

void daemon_move(struct daemon *daemon, const struct group *group)
{
	daemon->moved[group - daemon->engine->groups] = true;
	daemon->wanted_changed = true;
}

void daemon_set_maintenance(struct daemon *daemon, bool on)
{
	if (!on) {
		engine_undemote(daemon->engine, "maintenance", daemon->now);
		return;
	}
	/* First, so that the one advert that follows is the goodbye. */
	engine_give_way(daemon->engine, daemon->now);
	engine_demote(daemon->engine, "maintenance", MAINTENANCE_VALUE, daemon->now, INSTANT_NEVER);
}

bool daemon_make_room(struct daemon *daemon, const struct engine *engine)
{
	size_t capacity = engine->action_capacity;
	struct action *todo = calloc(capacity, sizeof(*todo));
	struct action *told = calloc(capacity, sizeof(*told));
	bool *moved = calloc(engine->settings->group_count, sizeof(*moved));

	if (todo == NULL || told == NULL || moved == NULL) {
		free(todo);
		free(told);
		free(moved);
		return false;
	}
	free(daemon->todo);
	free(daemon->told);
	free(daemon->moved);
	daemon->moved = moved;
	daemon->todo = todo;
	daemon->told = told;
	daemon->look_for_routes = INSTANT_NEVER;
	return true;
}
