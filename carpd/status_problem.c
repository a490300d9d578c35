#include "status_private.h"

#include <stdio.h>

#include "text.h"
#include "trouble.h"
#include "vrrp.h"

static void interface_problems(const struct daemon *daemon, const struct group *group, json_t *problems)
{
	const struct interface *interface = &daemon->interfaces.list[group->settings->parent];
	char text[TEXT_SENTENCE_MAX];

	if (interface->link.index == 0)
		snprintf(text, sizeof(text), "interface %s does not exist", interface->name);
	else if (interface->problem[0] != '\0')
		snprintf(text, sizeof(text), "interface %s: %s", interface->name, interface->problem);
	else if (!interface->link.up)
		snprintf(text, sizeof(text), "interface %s is down or has no carrier", interface->name);
	else if (group->barred)
		snprintf(text, sizeof(text), "mac = virtual is not possible on %s", interface->name);
	else
		return;
	json_array_append_new(problems, json_string(text));
}

static void conflict_problem(const struct daemon *daemon, const struct group *group, const struct node *node,
                             json_t *problems)
{
	const struct conflict *conflict = &node->conflict;
	char text[3 * TEXT_SENTENCE_MAX], what[TEXT_SENTENCE_MAX], advice[TEXT_SENTENCE_MAX];
	char clock[TEXT_TIME_MAX];

	snprintf(text, sizeof(text), "CONFLICT  %s, %llu times since %s. %s",
	         text_conflict(conflict, node->vhost.vhid, what), (unsigned long long)conflict->count,
	         text_clock(conflict->since.ns + daemon->engine->wall_offset_ns, clock),
	         text_advice(group, node, advice));
	json_array_append_new(problems, json_string(text));
}

static void outlet_problems(const struct group *group, const struct node *node, json_t *problems)
{
	char text[TEXT_SENTENCE_MAX];
	struct address destination;

	for (size_t i = 0; engine_destination(group->settings, i, &destination); i++)
		if (outlet_is_blocked(&node->outlets[i]))
			json_array_append_new(problems, json_string(text_blocked(
			                                        &destination, node->outlets[i].error, text)));
}

static void node_problems(const struct daemon *daemon, const struct group *group, const struct node *node,
                          json_t *problems)
{
	char text[TEXT_SENTENCE_MAX], peer[TEXT_ADDRESS_MAX];

	outlet_problems(group, node, problems);
	if (node->conflict.source.family != FAMILY_NONE && node->conflict.told)
		conflict_problem(daemon, group, node, problems);
	if (node->vhost.rival.persistent) {
		snprintf(
		        text, sizeof(text),
		        "RIVAL  %s is master too, although this host has the better right; is it deaf to us?",
		        text_address(&node->vhost.rival.source, peer));
		json_array_append_new(problems, json_string(text));
	}
	if (node->other_form.source.family != FAMILY_NONE)
		json_array_append_new(problems,
		                      json_string(text_other_form(group, &node->other_form.source, text)));
	if (node->vhost.unrelieved)
		json_array_append_new(problems, json_string(text_unrelieved(group, text)));
	if (node->vhost.master.family_missing)
		json_array_append_new(problems,
		                      json_string("the master is heard over one of IPv4 and IPv6 only"));
}

static void vrrp_problem(const struct daemon *daemon, const struct group *group, json_t *problems)
{
	char text[TEXT_SENTENCE_MAX];

	if (!vrrp_is_near(daemon, group))
		return;
	snprintf(text, sizeof(text),
	         "a VRRP router on %s uses id %d too: both have the same MAC; change one id",
	         daemon->interfaces.list[group->settings->parent].name, group->nodes[0].vhost.vhid);
	json_array_append_new(problems, json_string(text));
}

static void fight_problem(const struct group *group, json_t *problems)
{
	char text[TEXT_SENTENCE_MAX], address[TEXT_ADDRESS_MAX];

	if (!fight_is_on(&group->fight))
		return;
	snprintf(text, sizeof(text),
	         "another program removes %s again and again, so that it is there at times only; find and "
	         "stop that program",
	         text_address(&group->fight.address, address));
	json_array_append_new(problems, json_string(text));
}

static void stranger_problems(const struct daemon *daemon, const struct group *group, json_t *problems)
{
	const struct interface *interface = &daemon->interfaces.list[group->settings->parent];
	char text[TEXT_SENTENCE_MAX];

	for (size_t i = 0; i < group->settings->address_count; i++) {
		const struct rtnl_address *stranger =
		        interface_stranger(interface, &group->settings->addresses[i].address);
		if (stranger != NULL)
			json_array_append_new(problems, json_string(interface_describe_stranger(
			                                        interface, stranger, text)));
	}
}

json_t *status_problems(const struct daemon *daemon, const struct group *group)
{
	json_t *problems = json_array();

	interface_problems(daemon, group, problems);
	vrrp_problem(daemon, group, problems);
	fight_problem(group, problems);
	stranger_problems(daemon, group, problems);
	trouble_find(daemon, group, problems);
	squatter_problems(daemon, group, problems);
	route_problems(daemon, group, problems);
	for (size_t i = 0; i < group->node_count; i++)
		node_problems(daemon, group, &group->nodes[i], problems);
	return problems;
}
