#include "status.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

static double seconds(int64_t span_ns)
{
	return (double)span_ns / (double)NS_PER_S;
}

static double since_s(const struct daemon *daemon, instant then)
{
	return seconds(instant_span_ns(then, daemon->now));
}

static json_t *time_json(const struct daemon *daemon, instant at)
{
	char text[TEXT_TIME_MAX];

	return json_string(text_time(at.ns + daemon->engine->wall_offset_ns, text));
}

static json_t *address_json(const struct address *address)
{
	char text[TEXT_ADDRESS_MAX];

	return address->family == FAMILY_NONE ? json_null() : json_string(text_address(address, text));
}

static void add_problem(json_t *problems, const char *text)
{
	json_array_append_new(problems, json_string(text));
}

static const struct interface *interface_of(const struct daemon *daemon, const struct group *group)
{
	return &daemon->interfaces.list[group->settings->parent];
}

static const struct config_group *config_of(const struct daemon *daemon, const struct group *group)
{
	return &daemon->runtime->config->groups[group - daemon->engine->groups];
}

static void interface_problems(const struct daemon *daemon, const struct group *group, json_t *problems)
{
	const struct interface *interface = interface_of(daemon, group);
	char text[TEXT_SENTENCE_MAX];

	if (interface->link.index == 0)
		snprintf(text, sizeof(text), "interface %s does not exist", interface->name);
	else if (interface->problem[0] != '\0')
		snprintf(text, sizeof(text), "interface %s: %s", interface->name, interface->problem);
	else if (!interface->link.up)
		snprintf(text, sizeof(text), "interface %s is down or has no carrier", interface->name);
	else if (group->stopped && !daemon->stopping)
		snprintf(text, sizeof(text), "mac = virtual is not possible on %s", interface->name);
	else
		return;
	add_problem(problems, text);
}

static void conflict_problem(const struct daemon *daemon, const struct group *group, const struct node *node,
                             json_t *problems)
{
	const struct conflict *conflict = &node->conflict;
	struct diagnosis diagnosis = engine_diagnose(group, node);
	char text[2 * TEXT_SENTENCE_MAX], peer[TEXT_ADDRESS_MAX], advice[TEXT_SENTENCE_MAX];
	char clock[TEXT_TIME_MAX];

	snprintf(text, sizeof(text),
	         "CONFLICT  %s advertises vhid %d with another digest, %llu times since %s. %s",
	         text_address(&conflict->source, peer), node->vhost.vhid, (unsigned long long)conflict->count,
	         text_clock(conflict->since.ns + daemon->engine->wall_offset_ns, clock),
	         text_diagnosis(&diagnosis, advice));
	add_problem(problems, text);
}

static void node_problems(const struct daemon *daemon, const struct group *group, const struct node *node,
                          json_t *problems)
{
	char text[TEXT_SENTENCE_MAX], peer[TEXT_ADDRESS_MAX];

	if (node->conflict.source.family != FAMILY_NONE)
		conflict_problem(daemon, group, node, problems);
	if (node->vhost.rival.persistent) {
		snprintf(
		        text, sizeof(text),
		        "RIVAL  %s is master too, although this host has the better right; is it deaf to us?",
		        text_address(&node->vhost.rival.source, peer));
		add_problem(problems, text);
	}
	if (node->vhost.master.family_missing)
		add_problem(problems, "the master is heard over one of IPv4 and IPv6 only");
}

static void gate_problem(const struct daemon *daemon, const struct group *group, json_t *problems)
{
	const struct interface *interface = interface_of(daemon, group);
	struct gate_counters counters;
	char text[TEXT_SENTENCE_MAX];

	if (interface->gate_port < 0)
		return;
	gate_read_counters(daemon->gate, interface->gate_port, group->nodes[0].vhost.vhid, &counters);
	if (counters.vrrp == 0)
		return;
	snprintf(text, sizeof(text),
	         "a VRRP router on %s uses id %d too (%llu packets): both would have the same MAC; change "
	         "one id",
	         interface->name, group->nodes[0].vhost.vhid, (unsigned long long)counters.vrrp);
	add_problem(problems, text);
}

static json_t *problems_json(const struct daemon *daemon, const struct group *group)
{
	json_t *problems = json_array();

	interface_problems(daemon, group, problems);
	gate_problem(daemon, group, problems);
	for (size_t i = 0; i < group->node_count; i++)
		node_problems(daemon, group, &group->nodes[i], problems);
	return problems;
}

static json_t *master_json(const struct vhost *vhost)
{
	if (vhost->state == VHOST_MASTER)
		return json_string("this host");
	return address_json(&vhost->master.source);
}

static json_t *addresses_json(const struct group_settings *settings)
{
	json_t *addresses = json_array();

	for (size_t i = 0; i < settings->address_count; i++)
		json_array_append_new(addresses, address_json(&settings->addresses[i].address));
	return addresses;
}

static json_t *group_json(const struct daemon *daemon, const struct group *group)
{
	const struct vhost *vhost = &group->nodes[0].vhost;
	const struct config_group *config = config_of(daemon, group);

	return json_pack("{s:s, s:s, s:i, s:s, s:f, s:o, s:o, s:o, s:s, s:o, s:b}", "name", config->name,
	                 "interface", config->interface, "vhid", vhost->vhid, "state",
	                 vhost_state_name(vhost->state), "since_s", since_s(daemon, vhost->last.at), "since",
	                 time_json(daemon, vhost->last.at), "master", master_json(vhost), "addresses",
	                 addresses_json(group->settings), "mac", group->virtual_mac ? "virtual" : "interface",
	                 "problems", problems_json(daemon, group), "handing_over", vhost->handover.active);
}

static const char *why_json(const struct daemon *daemon, const struct vhost *vhost,
                            char text[TEXT_SENTENCE_MAX])
{
	const struct master *master = &vhost->master;
	char peer[TEXT_ADDRESS_MAX], age[TEXT_TIME_MAX];

	if (vhost->state != VHOST_BACKUP)
		return text_cause(&vhost->last, daemon->engine->wall_offset_ns, text);
	if (master->source.family == FAMILY_NONE) {
		snprintf(text, TEXT_SENTENCE_MAX, "waiting to hear whether there is a master");
		return text;
	}
	struct terms ours = vhost_terms(vhost);
	snprintf(text, TEXT_SENTENCE_MAX,
	         "%s is master: advbase %d advskew %d demoted by %d, against our %d, %d and %d; last advert "
	         "%s "
	         "ago, %s%s",
	         text_address(&master->source, peer), master->terms.advbase, master->terms.advskew,
	         master->terms.demote, ours.advbase, ours.advskew, ours.demote,
	         text_span(instant_span_ns(master->heard, daemon->now), age),
	         master->sealed ? "sealed" : "not sealed",
	         vhost->held ? "; handed over by request, so this host does not take it back" : "");
	return text;
}

static json_t *next_json(const struct daemon *daemon, const struct vhost *vhost)
{
	char text[TEXT_SENTENCE_MAX], span[TEXT_TIME_MAX];

	switch (vhost->state) {
	case VHOST_INIT:
		return json_string("takes part again when its interface is up");
	case VHOST_BACKUP:
		snprintf(text, sizeof(text),
		         "takes over in %s if nothing is heard, or at once if the master says goodbye",
		         text_span(instant_span_ns(daemon->now, vhost->deadline), span));
		return json_string(text);
	case VHOST_MASTER:
		snprintf(text, sizeof(text), "advertises every %s",
		         text_span(vhost_interval_ns(vhost), span));
		return json_string(text);
	}
	return json_null();
}

static json_t *sources_json(const struct daemon *daemon, const struct group *group)
{
	const struct parent *parent = &daemon->engine->parents[group->settings->parent].parent;
	json_t *sources = json_array();

	if (parent->source_ipv4.family != FAMILY_NONE)
		json_array_append_new(sources, address_json(&parent->source_ipv4));
	if (parent->source_ipv6.family != FAMILY_NONE)
		json_array_append_new(sources, address_json(&parent->source_ipv6));
	return sources;
}

static json_t *peers_json(const struct group_settings *settings)
{
	json_t *peers = json_array();

	for (size_t i = 0; i < settings->peer_count; i++)
		json_array_append_new(peers, address_json(&settings->peers[i]));
	return peers;
}

static json_t *master_advert_json(const struct daemon *daemon, const struct vhost *vhost)
{
	const struct master *master = &vhost->master;

	if (vhost->state != VHOST_BACKUP || master->source.family == FAMILY_NONE)
		return json_null();
	return json_pack("{s:o, s:i, s:i, s:i, s:f, s:b}", "source", address_json(&master->source), "advbase",
	                 master->terms.advbase, "advskew", master->terms.advskew, "demote",
	                 master->terms.demote, "age_s", since_s(daemon, master->heard), "sealed",
	                 master->sealed);
}

static json_t *counters_json(const struct vhost_counters *counters)
{
	json_t *dropped = json_object();

	for (int reason = DROP_NONE + 1; reason < DROP_COUNT; reason++)
		json_object_set_new(dropped, drop_name((enum drop)reason),
		                    json_integer((json_int_t)counters->dropped[reason]));
	return json_pack("{s:I, s:I, s:I, s:o}", "adverts_sent", (json_int_t)counters->adverts_sent,
	                 "adverts_received", (json_int_t)counters->adverts_received, "send_errors",
	                 (json_int_t)counters->send_errors, "dropped", dropped);
}

static json_t *gate_json(const struct daemon *daemon, const struct group *group)
{
	const struct interface *interface = interface_of(daemon, group);
	struct gate_counters counters;

	if (interface->gate_port < 0)
		return json_null();
	gate_read_counters(daemon->gate, interface->gate_port, group->nodes[0].vhost.vhid, &counters);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "accepted", (json_int_t)counters.accepted,
	                 "refused", (json_int_t)counters.refused, "fenced", (json_int_t)counters.fenced,
	                 "rewritten", (json_int_t)counters.rewritten, "adverts", (json_int_t)counters.adverts,
	                 "adverts_lost", (json_int_t)counters.adverts_lost, "vrrp",
	                 (json_int_t)counters.vrrp);
}

static json_t *conflict_json(const struct daemon *daemon, const struct group *group, const struct node *node)
{
	const struct conflict *conflict = &node->conflict;
	char text[TEXT_SENTENCE_MAX];

	if (conflict->source.family == FAMILY_NONE)
		return json_null();
	struct diagnosis diagnosis = engine_diagnose(group, node);
	return json_pack("{s:o, s:I, s:o, s:s}", "source", address_json(&conflict->source), "count",
	                 (json_int_t)conflict->count, "since", time_json(daemon, conflict->since),
	                 "diagnosis", text_diagnosis(&diagnosis, text));
}

static const char *seal_name(enum seal_policy seal)
{
	static const char *const names[] = {"off", "offer", "require"};

	return names[seal];
}

static json_t *detail_json(const struct daemon *daemon, const struct group *group)
{
	const struct node *node = &group->nodes[0];
	const struct vhost *vhost = &node->vhost;
	const struct group_settings *settings = group->settings;
	struct mac mac = mac_virtual(vhost->vhid);
	char why[TEXT_SENTENCE_MAX], mac_text[TEXT_ADDRESS_MAX];
	json_t *detail = json_pack(
	        "{s:i, s:i, s:b, s:f, s:f, s:s, s:o, s:o, s:s}", "advbase", settings->advbase, "advskew",
	        vhost->advskew, "preempt", settings->preempt, "interval_s", seconds(vhost_interval_ns(vhost)),
	        "master_down_s", seconds(vhost_master_down_ns(vhost)), "why", why_json(daemon, vhost, why),
	        "next", next_json(daemon, vhost), "last_transition",
	        history_last_transition(&daemon->history, settings->name), "seal", seal_name(settings->seal));

	json_object_set_new(detail, "virtual_mac",
	                    group->virtual_mac ? json_string(text_mac(&mac, mac_text)) : json_null());
	json_object_set_new(detail, "sources", sources_json(daemon, group));
	json_object_set_new(detail, "peers", peers_json(settings));
	json_object_set_new(detail, "master_advert", master_advert_json(daemon, vhost));
	json_object_set_new(detail, "counters", counters_json(&node->counters));
	json_object_set_new(detail, "gate", gate_json(daemon, group));
	json_object_set_new(detail, "conflict", conflict_json(daemon, group, node));
	return detail;
}

static const char *scope_name(const struct daemon *daemon, const struct demotion *reason)
{
	return reason->scope == DEMOTION_EVERYWHERE
	               ? "host"
	               : daemon->runtime->config->groups[reason->scope].demotion_group;
}

/* What a person must know about a reason beyond its name. */
static const char *why_demoted(const struct demotion *reason)
{
	if (strcmp(reason->name, "maintenance") == 0)
		return "on by request";
	if (strncmp(reason->name, "link ", 5) == 0)
		return "the interface is down or missing";
	if (strncmp(reason->name, "sending ", 8) == 0)
		return "adverts cannot be sent";
	if (strncmp(reason->name, "addresses ", 10) == 0)
		return "an address could not be taken";
	return "set by request";
}

static json_t *demotions_json(const struct daemon *daemon)
{
	json_t *list = json_array();

	for (size_t i = 0; i < DEMOTIONS_MAX; i++) {
		const struct demotion *reason = &daemon->engine->demotions.reasons[i];
		if (reason->name[0] == '\0')
			continue;
		json_t *expires = instant_is_never(reason->until)
		                          ? json_null()
		                          : json_real(-since_s(daemon, reason->until));
		json_array_append_new(list,
		                      json_pack("{s:s, s:i, s:s, s:f, s:o, s:s}", "name", reason->name,
		                                "value", reason->value, "group", scope_name(daemon, reason),
		                                "since_s", since_s(daemon, reason->since), "expires_s",
		                                expires, "why", why_demoted(reason)));
	}
	return list;
}

static int demotion_total(const struct daemon *daemon)
{
	int total = 0;

	for (size_t i = 0; i < DEMOTIONS_MAX; i++)
		total += daemon->engine->demotions.reasons[i].value;
	return total < DEMOTION_SUM_MAX ? total : DEMOTION_SUM_MAX;
}

static json_t *host_problems(const struct daemon *daemon)
{
	json_t *problems = json_array();

	if (daemon->gate_faults > 0) {
		char text[TEXT_SENTENCE_MAX];
		snprintf(text, sizeof(text),
		         "another program switched the gate off %u times; it was put back",
		         daemon->gate_faults);
		add_problem(problems, text);
	}
	return problems;
}

static bool is_healthy(const json_t *group)
{
	const char *state = json_string_value(json_object_get(group, "state"));

	return strcmp(state, "init") != 0 && json_array_size(json_object_get(group, "problems")) == 0;
}

json_t *status_json(const struct daemon *daemon, const struct group *only)
{
	json_t *groups = json_array();
	json_t *problems = host_problems(daemon);
	bool healthy = json_array_size(problems) == 0 && demotion_total(daemon) == 0;
	int serving = 0;
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	for (size_t i = 0; i < daemon->engine->settings->group_count; i++) {
		const struct group *group = &daemon->engine->groups[i];
		serving += group->masters > 0;
		json_t *json = group_json(daemon, group);
		healthy = healthy && is_healthy(json);
		if (only == group)
			json_object_set_new(json, "detail", detail_json(daemon, group));
		if (only == NULL || only == group)
			json_array_append(groups, json);
		json_decref(json);
	}
	return json_pack("{s:b, s:s, s:s, s:f, s:b, s:i, s:i, s:i, s:o, s:o, s:o}", "ok", 1, "version",
	                 CARPD_VERSION, "host", host, "up_s", since_s(daemon, daemon->started), "healthy",
	                 healthy, "serving", serving, "groups_total",
	                 (int)daemon->engine->settings->group_count, "demotion", demotion_total(daemon),
	                 "demotions", demotions_json(daemon), "problems", problems, "groups", groups);
}
