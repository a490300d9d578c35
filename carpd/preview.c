#include "preview.h"

#include "readable.h"
#include "carpd/engine/trouble.h"

static void note_link(void *context, const struct rtnl_link *link, bool gone)
{
	struct daemon *daemon = context;
	struct interface *interface = interfaces_find_name(&daemon->interfaces, link->name);

	surroundings_note_link(&daemon->surroundings, link, gone);
	if (interface != NULL && !gone)
		interface->link = *link;
}

static void note_address(void *context, const struct rtnl_address *address, bool gone)
{
	struct daemon *daemon = context;
	struct interface *interface = interfaces_find(&daemon->interfaces, address->link_index);

	surroundings_note_address(&daemon->surroundings, address, gone);
	if (interface != NULL)
		(void)interface_note_address(interface, address, gone);
}

static void note_filter(void *context, int link_index)
{
	(void)context;
	(void)link_index;
}

static void note_round(void *context)
{
	(void)context;
}

static const struct rtnl_handler handler = {
        .link = note_link,
        .address = note_address,
        .filter_changed = note_filter,
        .resync_begin = note_round,
        .resync_end = note_round,
};

static void print_troubles(const struct daemon *daemon, const char *path, FILE *errors)
{
	const struct config *config = daemon->runtime->config;

	for (size_t g = 0; g < config->group_count; g++) {
		json_t *texts = json_array();

		trouble_find(daemon, &daemon->engine->groups[g], texts);
		for (size_t i = 0; i < json_array_size(texts); i++)
			fprintf(errors, "%s:%d: warning: group %s: %s\n", path, config->groups[g].line,
			        config->groups[g].name, json_string_value(json_array_get(texts, i)));
		json_decref(texts);
	}
}

/* A host that tells nothing of its links has no warnings: the file is as good as before. */
static void look_around(struct daemon *daemon, const char *path, FILE *errors)
{
	struct interfaces *interfaces = &daemon->interfaces;

	if (interfaces_create(interfaces, daemon->runtime, NULL) < 0)
		return;
	if (rtnl_open(&handler, daemon, &daemon->rtnl) == 0) {
		for (size_t i = 0; i < interfaces->count; i++) {
			struct interface *interface = &interfaces->list[i];
			interface->taker = surroundings_taker(&daemon->surroundings, &interface->link);
			interface->ipv6 = ipv6_look(interface->name);
		}
		print_troubles(daemon, path, errors);
		rtnl_close(daemon->rtnl);
	}
	interfaces_free(interfaces);
	surroundings_free(&daemon->surroundings);
}

void preview_print(struct config *config, const char *path, FILE *errors)
{
	static struct daemon daemon;

	readable_check(config, path, errors);
	daemon.runtime = runtime_create(config, 0, 0, (instant){0});
	if (daemon.runtime == NULL)
		return;
	daemon.engine = daemon.runtime->engine;
	look_around(&daemon, path, errors);
	runtime_free(daemon.runtime);
}
