#include "route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "carpd/config/config_route.h"
#include "daemon.h"

struct route {
	char interface[IFNAMSIZ];
	size_t group; /* index */
	struct rtnl_route route;
	bool in_place; /* put there by us */
	int error;     /* why it could not be, 0 or errno */
};

static int link_of(struct daemon *daemon, const struct route *route)
{
	const struct interface *interface = interfaces_find_name(&daemon->interfaces, route->interface);

	return interface != NULL ? interface->link.index : 0;
}

static bool is_wanted(struct daemon *daemon, const struct route *route)
{
	return daemon->engine->groups[route->group].masters > 0 && link_of(daemon, route) != 0;
}

static const char *describe(const struct route *route, char text[TEXT_SENTENCE_MAX])
{
	char words[CONFIG_ROUTE_TEXT_MAX];

	config_route_text(&route->route, words);
	if (route->error == EEXIST)
		snprintf(text, TEXT_SENTENCE_MAX,
		         "the route %s is not in place: there is another to the same destination; remove "
		         "that, or "
		         "give this one a metric of its own",
		         words);
	else
		snprintf(text, TEXT_SENTENCE_MAX, "the route %s is not in place: the kernel refused it: %s",
		         words, strerror(route->error));
	return text;
}

bool route_note_answer(struct daemon *daemon, const void *tag, int error)
{
	size_t offset = (uintptr_t)tag - (uintptr_t)daemon->routes;
	char words[CONFIG_ROUTE_TEXT_MAX], sentence[TEXT_SENTENCE_MAX];

	if (offset >= daemon->route_count * sizeof(struct route))
		return false;
	struct route *route = &daemon->routes[offset / sizeof(struct route)];
	const char *name = daemon->engine->groups[route->group].settings->name;
	int before = route->error;
	if (error == -EEXIST && route->in_place)
		return true;
	if (error == 0 && (route->in_place || before != 0))
		history_note(&daemon->history, daemon_wall_ns(daemon), name, "took", "the route %s is %s",
		             config_route_text(&route->route, words),
		             before != 0 ? "in place now" : "put back; somebody had removed it");
	route->in_place = error == 0;
	route->error = -error;
	if (error != 0 && -error != before)
		history_note(&daemon->history, daemon_wall_ns(daemon), name, "problem", "%s",
		             describe(route, sentence));
	return true;
}

static void drop(struct daemon *daemon, struct route *route)
{
	int link_index = link_of(daemon, route);

	if (route->in_place && link_index != 0)
		rtnl_drop_route(daemon->rtnl, link_index, &route->route, NULL);
	route->in_place = false;
	route->error = 0;
}

void route_ask(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->route_count; i++) {
		struct route *route = &daemon->routes[i];
		bool asked_for = route->in_place || route->error != 0;
		if (!is_wanted(daemon, route))
			drop(daemon, route);
		else if (!asked_for || daemon->look_at_routes)
			rtnl_take_route(daemon->rtnl, link_of(daemon, route), &route->route, route);
	}
	daemon->look_at_routes = false;
}

static bool is_same(const struct route *a, const struct route *b)
{
	return strcmp(a->interface, b->interface) == 0 &&
	       address_equal(&a->route.destination.address, &b->route.destination.address) &&
	       a->route.destination.prefix_length == b->route.destination.prefix_length &&
	       address_equal(&a->route.gateway, &b->route.gateway) && a->route.metric == b->route.metric;
}

static void adopt(struct route *route, struct route *old, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_same(route, &old[i]) || !old[i].in_place)
			continue;
		route->in_place = true;
		old[i].in_place = false;
		return;
	}
}

void route_follow_config(struct daemon *daemon)
{
	const struct config *config = daemon->runtime->config;
	struct route *old = daemon->routes;
	size_t old_count = daemon->route_count, count = 0;

	for (size_t g = 0; g < config->group_count; g++)
		count += config->groups[g].route_count;
	daemon->routes = count > 0 ? calloc(count, sizeof(*old)) : NULL;
	daemon->route_count = 0;
	for (size_t g = 0; g < config->group_count && daemon->routes != NULL; g++)
		for (size_t r = 0; r < config->groups[g].route_count; r++) {
			struct route *route = &daemon->routes[daemon->route_count++];
			memcpy(route->interface, config->groups[g].interface, sizeof(route->interface));
			route->group = g;
			route->route = config->groups[g].routes[r];
			adopt(route, old, old_count);
		}
	for (size_t i = 0; i < old_count; i++)
		drop(daemon, &old[i]);
	free(old);
	daemon->wanted_changed = true;
}

void route_free(struct daemon *daemon)
{
	free(daemon->routes);
}

/* They stand in order, IPv4 first. */
static bool has_ipv4(const struct interface *interface)
{
	const struct address_list *lists[] = {&interface->ours, &interface->others};

	for (size_t i = 0; i < 2; i++)
		if (lists[i]->count > 0 && lists[i]->list[0].address.address.family == FAMILY_IPV4)
			return true;
	return false;
}

static bool is_configured(const struct daemon *daemon, const struct interface *interface,
                          const struct rtnl_route *lost)
{
	struct route wanted = {.route = *lost};

	memcpy(wanted.interface, interface->name, sizeof(wanted.interface));
	for (size_t i = 0; i < daemon->route_count; i++)
		if (is_same(&wanted, &daemon->routes[i]))
			return true;
	return false;
}

void route_remember(struct daemon *daemon, const struct group *leaving)
{
	struct interface *interface = &daemon->interfaces.list[leaving->settings->parent];

	if (interface->link.index == 0 || interface->lost_pending || !has_ipv4(interface) ||
	    interface_has_own_ipv4(interface, daemon->runtime))
		return;
	interface->lost_count =
	        rtnl_list_routes(daemon->rtnl, interface->link.index, interface->lost, ROUTES_LOST_MAX);
	interface->lost_pending = true;
}

static const char *describe_lost(const struct interface *interface, const struct rtnl_route *lost,
                                 char text[TEXT_SENTENCE_MAX])
{
	char words[CONFIG_ROUTE_TEXT_MAX];

	config_route_text(lost, words);
	snprintf(
	        text, TEXT_SENTENCE_MAX,
	        "the kernel removed the route %.80s with the last IPv4 address of %s, and it will be missing "
	        "when this "
	        "host serves again; write routes = { \"%.80s\" } in the group",
	        words, interface->name, words);
	return text;
}

void route_tell_lost(struct daemon *daemon)
{
	char text[TEXT_SENTENCE_MAX];

	for (size_t i = 0; i < daemon->interfaces.count; i++) {
		struct interface *interface = &daemon->interfaces.list[i];
		if (!interface->lost_pending)
			continue;
		interface->lost_pending = false;
		if (has_ipv4(interface))
			interface->lost_count = 0;
		for (size_t r = 0; r < interface->lost_count; r++)
			history_note(&daemon->history, daemon_wall_ns(daemon), NULL, "problem", "%s",
			             describe_lost(interface, &interface->lost[r], text));
	}
}

/* Somebody brought it back, or the configuration will. */
static void forget_lost(struct daemon *daemon, struct interface *interface)
{
	struct rtnl_route there[CONFIG_ROUTES_MAX];
	size_t count = rtnl_list_routes(daemon->rtnl, interface->link.index, there, CONFIG_ROUTES_MAX);

	for (size_t r = 0; r < interface->lost_count;) {
		const struct rtnl_route *lost = &interface->lost[r];
		bool found = is_configured(daemon, interface, lost);
		for (size_t i = 0; i < count && !found; i++)
			found = there[i].destination.prefix_length == lost->destination.prefix_length &&
			        address_equal(&there[i].destination.address, &lost->destination.address);
		if (found)
			interface->lost[r] = interface->lost[--interface->lost_count];
		else
			r++;
	}
}

void route_look(struct daemon *daemon)
{
	if (daemon->route_count > 0)
		daemon->look_at_routes = daemon->wanted_changed = true;
	for (size_t i = 0; i < daemon->interfaces.count; i++)
		if (daemon->interfaces.list[i].lost_count > 0 && daemon->interfaces.list[i].link.index != 0)
			forget_lost(daemon, &daemon->interfaces.list[i]);
}

static void lost_problems(const struct daemon *daemon, const struct group *group, json_t *problems)
{
	const struct interface *interface = daemon_interface_of(daemon, group);
	char text[TEXT_SENTENCE_MAX];

	for (size_t r = 0; r < interface->lost_count && !interface->lost_pending; r++)
		if (!is_configured(daemon, interface, &interface->lost[r]))
			json_array_append_new(
			        problems, json_string(describe_lost(interface, &interface->lost[r], text)));
}

void route_problems(const struct daemon *daemon, const struct group *group, json_t *problems)
{
	char text[TEXT_SENTENCE_MAX];

	for (size_t i = 0; i < daemon->route_count; i++) {
		const struct route *route = &daemon->routes[i];
		if (&daemon->engine->groups[route->group] == group && route->error != 0)
			json_array_append_new(problems, json_string(describe(route, text)));
	}
	lost_problems(daemon, group, problems);
}
