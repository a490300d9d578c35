#include "status.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "status_private.h"
#include "carpd/log/text.h"

static const struct config_group *config_of(const struct daemon *daemon, const struct group *group)
{
	return &daemon->runtime->config->groups[group - daemon->engine->groups];
}

static json_t *master_json(const struct vhost *vhost)
{
	if (vhost->state == VHOST_MASTER)
		return json_string("this host");
	return status_address(&vhost->master.source);
}

static json_t *addresses_json(const struct group_settings *settings)
{
	json_t *addresses = json_array();

	for (size_t i = 0; i < settings->address_count; i++)
		json_array_append_new(addresses, status_address(&settings->addresses[i].address));
	return addresses;
}

static json_t *group_json(const struct daemon *daemon, const struct group *group)
{
	const struct vhost *vhost = &group->nodes[0].vhost;
	const struct config_group *config = config_of(daemon, group);
	json_t *problems, *notes;

	status_find(daemon, group, &problems, &notes);
	return json_pack("{s:s, s:s, s:i, s:s, s:f, s:o, s:o, s:o, s:s, s:o, s:o, s:b}", "name", config->name,
	                 "interface", config->interface, "vhid", vhost->vhid, "state",
	                 vhost_state_name(vhost->state), "since_s", status_since_s(daemon, vhost->last.at),
	                 "since", status_time(daemon, vhost->last.at), "master", master_json(vhost),
	                 "addresses", addresses_json(group->settings), "mac",
	                 group->virtual_mac ? "virtual" : "interface", "problems", problems, "notes", notes,
	                 "handing_over", vhost->handover.active);
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
		                          : json_real(-status_since_s(daemon, reason->until));
		json_array_append_new(list,
		                      json_pack("{s:s, s:i, s:s, s:f, s:o, s:s}", "name", reason->name,
		                                "value", reason->value, "group", scope_name(daemon, reason),
		                                "since_s", status_since_s(daemon, reason->since), "expires_s",
		                                expires, "why", why_demoted(reason)));
	}
	return list;
}

/* Of the whole host: what a demotion group that is split off has on top is told with its reason. */
static int demotion_total(const struct daemon *daemon)
{
	int total = 0;

	for (size_t i = 0; i < DEMOTIONS_MAX; i++) {
		const struct demotion *reason = &daemon->engine->demotions.reasons[i];
		if (reason->name[0] != '\0' && strcmp(scope_name(daemon, reason), "host") == 0)
			total += reason->value;
	}
	return total < DEMOTION_SUM_MAX ? total : DEMOTION_SUM_MAX;
}

static void sandbox_problem(const char *process, int error, json_t *problems)
{
	char text[TEXT_SENTENCE_MAX];

	if (error == 0)
		return;
	snprintf(text, sizeof(text),
	         "the %s runs without its sandbox: %s; let it use seccomp(2), or say sandbox = false",
	         process, strerror(-error));
	json_array_append_new(problems, json_string(text));
}

static void state_problem(const struct daemon *daemon, json_t *problems)
{
	const struct state *state = &daemon->state;
	char text[CONFIG_PATH_MAX + TEXT_SENTENCE_MAX];

	if (state->problem[0] == '\0')
		return;
	snprintf(text, sizeof(text),
	         "%s/seals cannot be written: %s; after a restart replays are not recognised.  It takes a "
	         "directory of carpd's own user with room in it",
	         state->directory, state->problem);
	json_array_append_new(problems, json_string(text));
}

static json_t *host_problems(const struct daemon *daemon)
{
	json_t *problems = json_array();

	state_problem(daemon, problems);
	if (daemon->rtnl_error < 0) {
		char text[TEXT_SENTENCE_MAX];
		snprintf(text, sizeof(text),
		         "the kernel's links and addresses cannot be read: %s; tried again every few seconds",
		         strerror(-daemon->rtnl_error));
		json_array_append_new(problems, json_string(text));
	}
	sandbox_problem("keeper", daemon->keeper_sandbox, problems);
	sandbox_problem("engine", daemon->engine_sandbox, problems);
	if (daemon->gate_faults > 0) {
		char text[TEXT_SENTENCE_MAX];
		snprintf(text, sizeof(text),
		         "another program switched the gate off %u times; it was put back",
		         daemon->gate_faults);
		json_array_append_new(problems, json_string(text));
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
	json_t *demotions = demotions_json(daemon);
	bool healthy = json_array_size(problems) == 0 && json_array_size(demotions) == 0;
	int serving = 0;
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	for (size_t i = 0; i < daemon->engine->settings->group_count; i++) {
		const struct group *group = &daemon->engine->groups[i];
		serving += group->masters > 0;
		json_t *json = group_json(daemon, group);
		healthy = healthy && is_healthy(json);
		if (only == group)
			json_object_set_new(json, "detail", status_detail(daemon, group));
		if (only == NULL || only == group)
			json_array_append(groups, json);
		json_decref(json);
	}
	return json_pack("{s:b, s:s, s:s, s:f, s:b, s:i, s:i, s:i, s:o, s:o, s:o}", "ok", 1, "version",
	                 CARPD_VERSION, "host", host, "up_s", status_since_s(daemon, daemon->started),
	                 "healthy", healthy, "serving", serving, "groups_total",
	                 (int)daemon->engine->settings->group_count, "demotion", demotion_total(daemon),
	                 "demotions", demotions, "problems", problems, "groups", groups);
}
