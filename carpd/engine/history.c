#include "history.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "carpd/log/log.h"

static struct history_entry *add(struct history *history, int64_t wall_ns, const char *group,
                                 const char *event)
{
	struct history_entry *entry = &history->ring[history->next];

	history->next = (history->next + 1) % HISTORY_MAX;
	if (history->count < HISTORY_MAX)
		history->count++;
	*entry = (struct history_entry){.wall_ns = wall_ns, .event = event};
	snprintf(entry->group, sizeof(entry->group), "%s", group != NULL ? group : "");
	return entry;
}

static void log_entry(const struct history_entry *entry, enum log_level level)
{
	if (entry->from != NULL)
		log_line(level, "%s: %s -> %s: %s", entry->group, entry->from, entry->to, entry->text);
	else
		log_line(level, "%s%s%s", entry->group, entry->group[0] != '\0' ? ": " : "", entry->text);
}

void history_note(struct history *history, int64_t wall_ns, const char *group, const char *event,
                  const char *format, ...)
{
	struct history_entry *entry = add(history, wall_ns, group, event);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(entry->text, sizeof(entry->text), format, arguments);
	va_end(arguments);
	log_entry(entry, LOG_LEVEL_INFO);
}

static const char *event_of(enum report_kind kind)
{
	switch (kind) {
	case REPORT_TRANSITION:
		return "transition";
	case REPORT_DEMOTED:
	case REPORT_UNDEMOTED:
		return "demotion";
	case REPORT_HANDOVER_KEPT:
		return "handover";
	case REPORT_CREDENTIALS_CHANGED:
		return "reload";
	case REPORT_ADDRESS_PUT_BACK:
	case REPORT_FIGHT_OVER:
		return "took";
	case REPORT_RIVAL:
	case REPORT_RIVAL_GONE:
	case REPORT_CONFLICT:
	case REPORT_CONFLICT_OVER:
	case REPORT_REPEATED:
	case REPORT_FORGED:
	case REPORT_UNSEALED:
		return "conflict";
	case REPORT_CANNOT_SEND:
	case REPORT_CAN_SEND:
	case REPORT_FAMILY_SILENT:
	case REPORT_FAMILY_RETURNED:
	case REPORT_UNRELIEVED:
	case REPORT_DOUBTFUL:
	case REPORT_DOUBT_OVER:
	case REPORT_OTHER_FORM:
	case REPORT_OTHER_FORM_OVER:
	case REPORT_FIGHT:
		return "problem";
	}
	return "problem";
}

static void describe_conflict(const struct action *action, char *text)
{
	const struct conflict *conflict = &action->node->conflict;
	char what[TEXT_SENTENCE_MAX], advice[TEXT_SENTENCE_MAX];

	snprintf(text, TEXT_SENTENCE_MAX, "CONFLICT: %.120s. %.250s",
	         text_conflict(conflict, action->node->vhost.vhid, what),
	         text_advice(action->group, action->node, advice));
}

static void describe(const struct action *action, int64_t wall_offset_ns, char *text)
{
	const struct report *report = &action->report;
	const char *family = report->family == FAMILY_IPV6 ? "IPv6" : "IPv4";
	char peer[TEXT_ADDRESS_MAX];

	text_address(&report->peer, peer);
	switch (report->kind) {
	case REPORT_TRANSITION:
		text_cause(&report->transition, wall_offset_ns, text);
		break;
	case REPORT_DEMOTED:
		snprintf(text, TEXT_SENTENCE_MAX, "demoted by %d: %s", report->value, report->name);
		break;
	case REPORT_UNDEMOTED:
		snprintf(text, TEXT_SENTENCE_MAX, "no longer demoted: %s", report->name);
		break;
	case REPORT_CANNOT_SEND:
		text_blocked(&report->peer, report->value, text);
		break;
	case REPORT_CAN_SEND:
		snprintf(text, TEXT_SENTENCE_MAX, "adverts to %s can be sent again", peer);
		break;
	case REPORT_RIVAL:
		snprintf(text, TEXT_SENTENCE_MAX, "%s is master too; it should stand back, and is told so",
		         peer);
		break;
	case REPORT_RIVAL_GONE:
		snprintf(text, TEXT_SENTENCE_MAX, "%s has stood back; announced again", peer);
		break;
	case REPORT_CONFLICT:
		describe_conflict(action, text);
		break;
	case REPORT_CONFLICT_OVER:
		snprintf(text, TEXT_SENTENCE_MAX, "the conflict with %s is over", peer);
		break;
	case REPORT_FAMILY_SILENT:
		snprintf(text, TEXT_SENTENCE_MAX, "master %s is no longer heard over %s", peer, family);
		break;
	case REPORT_FAMILY_RETURNED:
		snprintf(text, TEXT_SENTENCE_MAX, "master %s is heard over %s again", peer, family);
		break;
	case REPORT_REPEATED:
	case REPORT_FORGED:
	case REPORT_UNSEALED:
		text_suspicion(&action->node->suspicion, text);
		break;
	case REPORT_DOUBTFUL:
		text_doubtful(&report->peer, text);
		break;
	case REPORT_DOUBT_OVER:
		snprintf(text, TEXT_SENTENCE_MAX, "%s is heard with counters of its own again", peer);
		break;
	case REPORT_HANDOVER_KEPT:
		snprintf(text, TEXT_SENTENCE_MAX, "nobody took over; this host stays master");
		break;
	case REPORT_OTHER_FORM:
		text_other_form(action->group, &report->peer, text);
		break;
	case REPORT_OTHER_FORM_OVER:
		snprintf(text, TEXT_SENTENCE_MAX,
		         "%s no longer says anything with a digest of the other form (hash-link-local)",
		         peer);
		break;
	case REPORT_UNRELIEVED:
		text_unrelieved(action->group, text);
		break;
	case REPORT_ADDRESS_PUT_BACK:
		snprintf(text, TEXT_SENTENCE_MAX, "somebody removed %s; put back", peer);
		break;
	case REPORT_FIGHT:
		snprintf(text, TEXT_SENTENCE_MAX,
		         "somebody removes %s again and again; it is put back once a second at most", peer);
		break;
	case REPORT_FIGHT_OVER:
		snprintf(text, TEXT_SENTENCE_MAX, "nobody removes %s any more", peer);
		break;
	case REPORT_CREDENTIALS_CHANGED:
		snprintf(text, TEXT_SENTENCE_MAX,
		         "the new passphrase, keys and addresses are in force, the old ones no longer "
		         "accepted");
		break;
	}
}

void history_report(struct history *history, const struct engine *engine, const struct action *action,
                    instant now)
{
	const struct report *report = &action->report;
	const char *group = action->group != NULL ? action->group->settings->name : NULL;
	bool transition = report->kind == REPORT_TRANSITION;
	instant at = transition ? report->transition.at : now;
	struct history_entry *entry =
	        add(history, at.ns + engine->wall_offset_ns, group, event_of(report->kind));

	if (transition) {
		entry->from = vhost_state_name(report->transition.from);
		entry->to = vhost_state_name(report->transition.to);
	}
	describe(action, engine->wall_offset_ns, entry->text);
	log_entry(entry, transition ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING);
}

static json_t *string_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *entry_json(const struct history_entry *entry)
{
	char time[TEXT_TIME_MAX];
	json_t *json = json_pack("{s:s, s:o, s:s, s:s}", "time", text_time(entry->wall_ns, time), "group",
	                         string_or_null(entry->group), "event", entry->event, "text", entry->text);

	if (json != NULL && entry->from != NULL) {
		json_object_set_new(json, "from", json_string(entry->from));
		json_object_set_new(json, "to", json_string(entry->to));
	}
	return json;
}

/* The nth newest, from 0. */
static const struct history_entry *newest(const struct history *history, size_t n)
{
	return &history->ring[(history->next + HISTORY_MAX - 1 - n) % HISTORY_MAX];
}

json_t *history_json(const struct history *history, size_t count)
{
	json_t *entries = json_array();

	if (count > history->count)
		count = history->count;
	while (count-- > 0)
		json_array_append_new(entries, entry_json(newest(history, count)));
	return entries;
}

json_t *history_last_transition(const struct history *history, const char *group)
{
	for (size_t n = 0; n < history->count; n++) {
		const struct history_entry *entry = newest(history, n);
		if (entry->from != NULL && strcmp(entry->group, group) == 0)
			return entry_json(entry);
	}
	return json_null();
}
