#include "reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "carpd/log/log.h"
#include "observe.h"
#include "perform.h"
#include "route.h"
#include "squatter.h"

static bool is_leaving(const struct daemon *daemon, const struct group *group)
{
	return engine_counterpart(daemon->next->engine, daemon->engine, group) == NULL;
}

static struct config *read_config(int fd)
{
	FILE *file = fdopen(fd, "r");

	if (file == NULL) {
		close(fd);
		return NULL;
	}
	struct config *config = config_parse(file, "configuration from the keeper", stderr);
	fclose(file);
	return config;
}

const char *reload_begin(struct daemon *daemon, int fd)
{
	const struct engine_settings *settings = daemon->engine->settings;
	struct config *config = read_config(fd);

	if (config == NULL)
		return "the keeper's configuration does not parse";
	if (daemon->stopping) {
		config_free(config);
		return "carpd is stopping";
	}
	daemon->next = runtime_create(config, runtime_seed(), settings->sequence_base, settings->start);
	if (daemon->next == NULL)
		return "out of memory";
	for (size_t i = 0; i < settings->group_count; i++) {
		struct group *group = &daemon->engine->groups[i];
		if (is_leaving(daemon, group))
			engine_stop(daemon->engine, group, daemon->now);
	}
	return NULL;
}

bool reload_is_ready(const struct daemon *daemon)
{
	/* A stop leaves a reload where it is: the new engine would begin to serve. */
	if (daemon->next == NULL || daemon->stopping)
		return false;
	for (size_t i = 0; i < daemon->engine->settings->group_count; i++) {
		const struct group *group = &daemon->engine->groups[i];
		if (is_leaving(daemon, group) && !engine_stopped(daemon->engine, group))
			return false;
	}
	return true;
}

/* What a group no longer shares leaves the gate: first what has moved to another group, or what has not. */
static void release_addresses(struct daemon *daemon, struct interface *interface, const struct group *before,
                              const struct group *after, bool moved)
{
	const struct group_settings *settings = before->settings;
	uint8_t vhid = before->nodes[0].vhost.vhid;

	for (size_t i = 0; i < settings->address_count; i++) {
		const struct address *address = &settings->addresses[i].address;
		bool shared = daemon_find_group(daemon, interface->link.index, address) != NULL;
		if ((after == NULL || !runtime_shares(after->settings, address)) && shared == moved)
			interface_release(&daemon->interfaces, interface, vhid, address);
	}
	if (after == NULL && !moved)
		interface_release(&daemon->interfaces, interface, vhid, NULL);
}

static void release_old(struct daemon *daemon, const struct engine *old, bool moved)
{
	for (size_t i = 0; i < old->settings->group_count; i++) {
		const struct group *group = &old->groups[i];
		const char *name = old->settings->parent_names[group->settings->parent];
		struct interface *interface = interfaces_find_name(&daemon->interfaces, name);
		if (interface != NULL)
			release_addresses(daemon, interface, group,
			                  engine_counterpart(daemon->engine, old, group), moved);
	}
}

static void adopt_interfaces(struct daemon *daemon, struct runtime *next)
{
	struct interfaces fresh = {0};

	if (interfaces_create(&fresh, next, &daemon->interfaces) < 0) {
		log_error("no memory for the interfaces of the new configuration");
		abort();
	}
	interfaces_free(&daemon->interfaces);
	daemon->interfaces = fresh;
}

void reload_finish(struct daemon *daemon)
{
	struct runtime *old = daemon->runtime, *next = daemon->next;

	if (!daemon_make_room(daemon, next->engine)) {
		log_error("no memory for the new configuration");
		abort(); /* the keeper gives everything back and starts afresh */
	}
	engine_adopt(next->engine, daemon->engine, daemon->now);
	adopt_interfaces(daemon, next);
	next->retired = old;
	daemon->next = NULL;
	daemon->runtime = next;
	daemon->engine = next->engine;
	/* The gate knows an address for one group at a time. */
	release_old(daemon, old->engine, true);
	observe_all(daemon);
	squatter_follow_config(daemon);
	route_follow_config(daemon);
	history_note(&daemon->history, daemon_wall_ns(daemon), NULL, "reload",
	             "the configuration was read again: %zu group%s", next->settings.group_count,
	             next->settings.group_count == 1 ? "" : "s");
	perform_all(daemon);
	/* Fenced for as long as the kernel had it. */
	release_old(daemon, old->engine, false);
	if (!engine_in_grace(next->engine))
		runtime_free_retired(next);
}
