#include "status_private.h"

#include <stdio.h>

#include "carpd/log/text.h"

static const char *reason_for_state(const struct daemon *daemon, const struct vhost *vhost,
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
	         vhost->preempt_waived ? "; handed over by request, so this host does not take it back" : "");
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
	static const enum family families[] = {FAMILY_IPV4, FAMILY_IPV6};
	json_t *sources = json_array();

	for (size_t i = 0; i < 2; i++) {
		struct address source = engine_source(daemon->engine, group->settings, families[i]);
		if (!engine_source_is_shared(daemon->engine, group->settings, families[i]))
			json_array_append_new(sources, status_address(&source));
	}
	return sources;
}

static json_t *peers_json(const struct group_settings *settings)
{
	json_t *peers = json_array();

	for (size_t i = 0; i < settings->peer_count; i++)
		json_array_append_new(peers, status_address(&settings->peers[i]));
	return peers;
}

static json_t *master_advert_json(const struct daemon *daemon, const struct vhost *vhost)
{
	const struct master *master = &vhost->master;

	if (vhost->state != VHOST_BACKUP || master->source.family == FAMILY_NONE)
		return json_null();
	return json_pack("{s:o, s:i, s:i, s:i, s:f, s:b}", "source", status_address(&master->source),
	                 "advbase", master->terms.advbase, "advskew", master->terms.advskew, "demote",
	                 master->terms.demote, "age_s", status_since_s(daemon, master->heard), "sealed",
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
	const struct interface *interface = &daemon->interfaces.list[group->settings->parent];
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

static const char *conflict_name(enum conflict_kind kind)
{
	static const char *const names[] = {
	        [CONFLICT_DIGEST] = "digest",
	        [CONFLICT_SEAL] = "seal",
	        [CONFLICT_KEY] = "key",
	        [CONFLICT_TIME] = "time",
	        [CONFLICT_UNSEALED] = "unsealed",
	        [CONFLICT_REPLAY] = "replay",
	        [CONFLICT_ROUTED] = "routed",
	        [CONFLICT_MULTICAST] = "multicast",
	        [CONFLICT_UNICAST] = "unicast",
	        [CONFLICT_STRANGER] = "stranger",
	        [CONFLICT_ELSEWHERE] = "elsewhere",
	        [CONFLICT_TWIN] = "twin",
	        [CONFLICT_MALFORMED] = "malformed",
	};

	return names[kind];
}

static json_t *conflict_json(const struct daemon *daemon, const struct group *group, const struct node *node)
{
	const struct conflict *conflict = &node->conflict;
	char text[TEXT_SENTENCE_MAX];

	if (conflict->source.family == FAMILY_NONE || !conflict->told)
		return json_null();
	return json_pack("{s:o, s:s, s:I, s:o, s:s}", "source", status_address(&conflict->source), "reason",
	                 conflict_name(conflict->kind), "count", (json_int_t)conflict->count, "since",
	                 status_time(daemon, conflict->since), "diagnosis", text_advice(group, node, text));
}

json_t *status_detail(const struct daemon *daemon, const struct group *group)
{
	const struct node *node = &group->nodes[0];
	const struct vhost *vhost = &node->vhost;
	const struct group_settings *settings = group->settings;
	struct mac mac = mac_virtual(vhost->vhid);
	char why[TEXT_SENTENCE_MAX], mac_text[TEXT_ADDRESS_MAX];
	json_t *detail =
	        json_pack("{s:i, s:i, s:b, s:f, s:f, s:s, s:o, s:o, s:s}", "advbase", settings->advbase,
	                  "advskew", vhost->advskew, "preempt", settings->preempt, "interval_s",
	                  status_seconds(vhost_interval_ns(vhost)), "master_down_s",
	                  status_seconds(vhost_master_down_ns(vhost)), "why",
	                  reason_for_state(daemon, vhost, why), "next", next_json(daemon, vhost),
	                  "last_transition", history_last_transition(&daemon->history, settings->name),
	                  "seal", config_seal_words[settings->seal]);

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
