#include "status_private.h"

#include <stdio.h>

#include "carpd/engine/route.h"
#include "carpd/engine/squatter.h"
#include "carpd/log/text.h"
#include "carpd/engine/trouble.h"
#include "carpd/engine/vrrp.h"

/*
 * What anybody on the network can bring about with a few packets is a note.  It is a
 * problem when it goes on, and hides or contradicts the master that should be heard.
 */
struct findings {
	json_t *problems;
	json_t *notes;
};

static void add(json_t *texts, const char *text)
{
	json_array_append_new(texts, json_string(text));
}

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
	else if (group->out_of_service)
		snprintf(text, sizeof(text), "mac = virtual is not possible on %s", interface->name);
	else
		return;
	json_array_append_new(problems, json_string(text));
}

static const char *clock_of(const struct daemon *daemon, instant at, char text[TEXT_TIME_MAX])
{
	return text_clock(at.ns + daemon->engine->wall_offset_ns, text);
}

static void find_conflict(const struct daemon *daemon, const struct group *group, const struct node *node,
                          struct findings found)
{
	const struct conflict *conflict = &node->conflict;
	bool contradicts = conflict->told && engine_could_hide_a_master(node);
	char text[3 * TEXT_SENTENCE_MAX], what[TEXT_SENTENCE_MAX], advice[TEXT_SENTENCE_MAX];
	char clock[TEXT_TIME_MAX];

	if (conflict->source.family == FAMILY_NONE)
		return;
	snprintf(text, sizeof(text), "%s%s, %llu times since %s. %s", contradicts ? "CONFLICT  " : "",
	         text_conflict(conflict, node->vhost.vhid, what), (unsigned long long)conflict->count,
	         clock_of(daemon, conflict->since, clock),
	         conflict->told ? text_advice(group, node, advice) : "Nothing comes of it");
	add(contradicts ? found.problems : found.notes, text);
}

static void find_suspicion(const struct daemon *daemon, const struct node *node, struct findings found)
{
	const struct suspicion *suspicion = &node->suspicion;
	char text[2 * TEXT_SENTENCE_MAX], what[TEXT_SENTENCE_MAX], clock[TEXT_TIME_MAX];

	if (node->vhost.doubtful)
		add(found.problems, text_doubtful(&suspicion->source, what));
	if (suspicion->source.family == FAMILY_NONE ||
	    instant_span_ns(suspicion->heard, daemon->now) > SUSPICION_OVER_NS)
		return;
	snprintf(text, sizeof(text), "%s, %llu times since %s", text_suspicion(suspicion, what),
	         (unsigned long long)suspicion->count, clock_of(daemon, suspicion->since, clock));
	add(found.notes, text);
}

/* A host that does not hear us goes on; what was recorded of one that is gone comes to an end. */
static void find_rival(const struct daemon *daemon, const struct node *node, struct findings found)
{
	const struct rival *rival = &node->vhost.rival;
	bool goes_on = instant_span_ns(rival->since, rival->heard) >= vhost_master_down_ns(&node->vhost);
	char text[TEXT_SENTENCE_MAX], peer[TEXT_ADDRESS_MAX], clock[TEXT_TIME_MAX];

	if (!rival->persistent)
		return;
	text_address(&rival->source, peer);
	if (goes_on)
		snprintf(
		        text, sizeof(text),
		        "RIVAL  %s is master too, although this host has the better right; is it deaf to us?",
		        peer);
	else
		snprintf(text, sizeof(text), "%s advertises too, since %s, and was told to stand back", peer,
		         clock_of(daemon, rival->since, clock));
	add(goes_on ? found.problems : found.notes, text);
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

static void find_in_node(const struct daemon *daemon, const struct group *group, const struct node *node,
                         struct findings found)
{
	char text[TEXT_SENTENCE_MAX];

	outlet_problems(group, node, found.problems);
	find_conflict(daemon, group, node, found);
	find_suspicion(daemon, node, found);
	find_rival(daemon, node, found);
	if (node->other_form.source.family != FAMILY_NONE)
		add(found.problems, text_other_form(group, &node->other_form.source, text));
	if (node->vhost.unrelieved)
		add(found.problems, text_unrelieved(group, text));
	if (node->vhost.master.family_missing)
		add(found.problems, "the master is heard over one of IPv4 and IPv6 only");
}

static void find_vrrp(const struct daemon *daemon, const struct group *group, struct findings found)
{
	const struct vrrp *vrrp = vrrp_find(daemon, group);
	char text[TEXT_SENTENCE_MAX], clock[TEXT_TIME_MAX];

	if (vrrp == NULL)
		return;
	snprintf(text, sizeof(text),
	         "a VRRP router on %s uses id %d too, since %s: both have the same MAC; change one id",
	         daemon->interfaces.list[group->settings->parent].name, group->nodes[0].vhost.vhid,
	         clock_of(daemon, vrrp->since, clock));
	add(vrrp_goes_on(vrrp) ? found.problems : found.notes, text);
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

void status_find(const struct daemon *daemon, const struct group *group, json_t **ret_problems,
                 json_t **ret_notes)
{
	struct findings found = {.problems = json_array(), .notes = json_array()};

	interface_problems(daemon, group, found.problems);
	find_vrrp(daemon, group, found);
	fight_problem(group, found.problems);
	stranger_problems(daemon, group, found.problems);
	trouble_find(daemon, group, found.problems);
	squatter_find(daemon, group, found.problems, found.notes);
	route_problems(daemon, group, found.problems);
	for (size_t i = 0; i < group->node_count; i++)
		find_in_node(daemon, group, &group->nodes[i], found);
	*ret_problems = found.problems;
	*ret_notes = found.notes;
}
