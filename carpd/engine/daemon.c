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
		const struct group_settings *settings = group->settings;
		if (daemon->interfaces.list[settings->parent].link.index != link_index)
			continue;
		for (size_t a = 0; a < settings->address_count; a++)
			if (address_equal(&settings->addresses[a].address, address))
				return group;
	}
	return NULL;
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

	if (todo == NULL || told == NULL) {
		free(todo);
		free(told);
		return false;
	}
	free(daemon->todo);
	free(daemon->told);
	daemon->todo = todo;
	daemon->told = told;
	daemon->look_for_routes = INSTANT_NEVER;
	return true;
}
