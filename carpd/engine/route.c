#include "route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "carpd/config/config_route.h"
#include "daemon.h"
#include "carpd/log/log.h"

struct answers {
	struct daemon *daemon;
	bool looking; /* they were in place already, as far as is known */
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

static void note_taken(void *context, void *tag, int error, const char *text)
{
	struct answers *answers = context;
	struct daemon *daemon = answers->daemon;
	struct route *route = tag;
	char words[CONFIG_ROUTE_TEXT_MAX], sentence[TEXT_SENTENCE_MAX];
	int before = route != NULL ? route->error : 0;

	(void)text;
	if (route == NULL || (error == -EEXIST && route->in_place))
		return;
	if (error == 0 && answers->looking && (route->in_place || before != 0))
		history_note(&daemon->history, daemon_wall_ns(daemon),
		             daemon->engine->groups[route->group].settings->name, "took",
		             "the route %s is %s", config_route_text(&route->route, words),
		             before != 0 ? "in place now" : "put back; somebody had removed it");
	route->in_place = error == 0;
	route->error = -error;
	if (error != 0 && -error != before)
		history_note(&daemon->history, daemon_wall_ns(daemon),
		             daemon->engine->groups[route->group].settings->name, "problem", "%s",
		             describe(route, sentence));
}

static void commit(struct daemon *daemon, bool looking)
{
	struct answers answers = {.daemon = daemon, .looking = looking};
	int error = rtnl_commit(daemon->rtnl, note_taken, &answers);

	if (error < 0)
		log_error("rtnetlink does not answer: %s", strerror(-error));
}

static void drop(struct daemon *daemon, struct route *route)
{
	int link_index = link_of(daemon, route);

	if (route->in_place && link_index != 0)
		rtnl_drop_route(daemon->rtnl, link_index, &route->route, NULL);
	route->in_place = false;
	route->error = 0;
}

void route_follow(struct daemon *daemon)
{
	bool changed = false;

	for (size_t i = 0; i < daemon->routes.count; i++) {
		struct route *route = &daemon->routes.list[i];
		bool wanted = is_wanted(daemon, route);
		if (wanted == (route->in_place || route->error != 0))
			continue;
		if (wanted)
			rtnl_take_route(daemon->rtnl, link_of(daemon, route), &route->route, route);
		else
			drop(daemon, route);
		changed = true;
	}
	if (changed)
		commit(daemon, false);
}

static bool is_same(const struct route *a, const struct route *b)
{
	return strcmp(a->interface, b->interface) == 0 &&
	       address_equal(&a->route.destination.address, &b->route.destination.address) &&
	       a->route.destination.prefix_length == b->route.destination.prefix_length &&
	       address_equal(&a->route.gateway, &b->route.gateway) && a->route.metric == b->route.metric;
}

static void adopt(struct route *route, struct routes *old)
{
	for (size_t i = 0; i < old->count; i++) {
		if (!is_same(route, &old->list[i]) || !old->list[i].in_place)
			continue;
		route->in_place = true;
		old->list[i].in_place = false;
		return;
	}
}

void route_follow_config(struct daemon *daemon)
{
	const struct config *config = daemon->runtime->config;
	struct routes old = daemon->routes, new = {0};
	size_t count = 0;

	for (size_t g = 0; g < config->group_count; g++)
		count += config->groups[g].route_count;
	new.list = count > 0 ? calloc(count, sizeof(*new.list)) : NULL;
	for (size_t g = 0; g < config->group_count && new.list != NULL; g++)
		for (size_t r = 0; r < config->groups[g].route_count; r++) {
			struct route *route = &new.list[new.count++];
			memcpy(route->interface, config->groups[g].interface, sizeof(route->interface));
			route->group = g;
			route->route = config->groups[g].routes[r];
			adopt(route, &old);
		}
	for (size_t i = 0; i < old.count; i++)
		drop(daemon, &old.list[i]);
	daemon->routes = new;
	if (daemon->rtnl != NULL)
		commit(daemon, false);
	route_free(&old);
}

void route_free(struct routes *routes)
{
	free(routes->list);
	*routes = (struct routes){0};
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
	for (size_t i = 0; i < daemon->routes.count; i++)
		if (is_same(&wanted, &daemon->routes.list[i]))
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
	bool wanted = false;

	for (size_t i = 0; i < daemon->routes.count; i++) {
		struct route *route = &daemon->routes.list[i];
		if (!is_wanted(daemon, route))
			continue;
		rtnl_take_route(daemon->rtnl, link_of(daemon, route), &route->route, route);
		wanted = true;
	}
	if (wanted)
		commit(daemon, true);
	for (size_t i = 0; i < daemon->interfaces.count; i++)
		if (daemon->interfaces.list[i].lost_count > 0 && daemon->interfaces.list[i].link.index != 0)
			forget_lost(daemon, &daemon->interfaces.list[i]);
}

static void lost_problems(const struct daemon *daemon, const struct group *group, json_t *problems)
{
	const struct interface *interface = &daemon->interfaces.list[group->settings->parent];
	char text[TEXT_SENTENCE_MAX];

	for (size_t r = 0; r < interface->lost_count && !interface->lost_pending; r++)
		if (!is_configured(daemon, interface, &interface->lost[r]))
			json_array_append_new(
			        problems, json_string(describe_lost(interface, &interface->lost[r], text)));
}

void route_problems(const struct daemon *daemon, const struct group *group, json_t *problems)
{
	char text[TEXT_SENTENCE_MAX];

	for (size_t i = 0; i < daemon->routes.count; i++) {
		const struct route *route = &daemon->routes.list[i];
		if (&daemon->engine->groups[route->group] == group && route->error != 0)
			json_array_append_new(problems, json_string(describe(route, text)));
	}
	lost_problems(daemon, group, problems);
}
