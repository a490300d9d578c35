#include "carpctl/print.h"

#include <stdio.h>

#include "carpctl/answer.h"
#include "carpctl/when.h"

#define VALUE_COLUMN 17

static struct text_out start_line(struct terminal terminal, const char *label)
{
	struct text_out out = {.terminal = terminal, .indent = VALUE_COLUMN};

	out.color = COLOR_HEAD;
	text_out_write(&out, label);
	out.color = COLOR_PLAIN;
	text_out_move(&out, VALUE_COLUMN);
	return out;
}

static void print_line(struct terminal terminal, const char *label, const char *text)
{
	struct text_out out = start_line(terminal, label);

	text_out_write(&out, text);
	text_out_end_line(&out);
}

static void print_list(struct terminal terminal, const char *label, const json_t *list, const char *if_empty)
{
	struct text_out out = start_line(terminal, label);
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		text_out_printf(&out, "%s%s", i > 0 ? "  " : "", answer_item(item));
	}
	if (json_array_size(list) == 0)
		text_out_write(&out, if_empty);
	text_out_end_line(&out);
}

/* Counters, in the daemon's order; those that are zero only when asked for. */
static void print_counters(struct terminal terminal, const char *label, json_t *counters, bool with_zero,
                           const char *if_none)
{
	struct text_out out = start_line(terminal, label);
	const char *name;
	json_t *value;
	size_t told = 0;

	json_object_foreach(counters, name, value)
	{
		if (!json_is_integer(value) || (!with_zero && json_integer_value(value) == 0))
			continue;
		text_out_printf(&out, "%s%s %" JSON_INTEGER_FORMAT, told++ > 0 ? ", " : "", name,
		                json_integer_value(value));
	}
	if (told == 0)
		text_out_write(&out, if_none);
	text_out_end_line(&out);
}

static void print_state(struct terminal terminal, const json_t *group)
{
	struct text_out out = start_line(terminal, answer_text(group, "name"));
	char span[WHEN_TEXT_BYTES], time[WHEN_TEXT_BYTES];

	out.color = COLOR_HEAD;
	text_out_write(&out, answer_text(group, "state"));
	out.color = COLOR_PLAIN;
	text_out_printf(&out, " on %s, vhid %" JSON_INTEGER_FORMAT, answer_text(group, "interface"),
	                answer_integer(group, "vhid"));
	if (answer_is_true(group, "handing_over"))
		text_out_write(&out, ", handing over");
	text_out_end_line(&out);

	out = start_line(terminal, "since");
	text_out_printf(&out, "%s, for %s", when_time(answer_text(group, "since"), time),
	                when_span(answer_seconds(group, "since_s"), span));
	text_out_end_line(&out);
}

static void print_reason(struct terminal terminal, const json_t *group, const json_t *detail)
{
	char label[VALUE_COLUMN];

	snprintf(label, sizeof(label), "why %s", answer_text(group, "state"));
	if (!answer_is_null(detail, "why"))
		print_line(terminal, label, answer_text(detail, "why"));
	if (!answer_is_null(detail, "next"))
		print_line(terminal, "next", answer_text(detail, "next"));
}

static void print_transition(struct terminal terminal, const json_t *entry)
{
	struct text_out out;
	char time[WHEN_TEXT_BYTES];

	if (!json_is_object(entry))
		return;
	out = start_line(terminal, "last transition");
	text_out_printf(&out, "%s  %s -> %s  %s", when_time(answer_text(entry, "time"), time),
	                answer_text(entry, "from"), answer_text(entry, "to"), answer_text(entry, "text"));
	text_out_end_line(&out);
}

static void print_sentences(struct terminal terminal, const char *name, const json_t *sentences)
{
	const json_t *sentence;
	size_t i;

	json_array_foreach(sentences, i, sentence)
	{
		print_line(terminal, name, answer_item(sentence));
	}
}

static void print_conflict(struct terminal terminal, const json_t *conflict)
{
	struct text_out out;
	char time[WHEN_TEXT_BYTES];

	if (!json_is_object(conflict))
		return;
	out = start_line(terminal, "conflict");
	text_out_printf(&out, "%s, %" JSON_INTEGER_FORMAT " times since %s: %s",
	                answer_text(conflict, "source"), answer_integer(conflict, "count"),
	                when_time(answer_text(conflict, "since"), time), answer_text(conflict, "diagnosis"));
	text_out_end_line(&out);
}

static void print_mac(struct terminal terminal, const json_t *group, const json_t *detail)
{
	struct text_out out = start_line(terminal, "mac");

	text_out_write(&out, answer_text(group, "mac"));
	if (!answer_is_null(detail, "virtual_mac"))
		text_out_printf(&out, ", %s", answer_text(detail, "virtual_mac"));
	text_out_end_line(&out);
}

static void print_timing(struct terminal terminal, const json_t *detail)
{
	struct text_out out = start_line(terminal, "timing");
	char interval[WHEN_TEXT_BYTES], down[WHEN_TEXT_BYTES];

	text_out_printf(&out,
	                "advbase %" JSON_INTEGER_FORMAT " advskew %" JSON_INTEGER_FORMAT
	                ": an advert every %s, takeover after %s of silence, preempt %s",
	                answer_integer(detail, "advbase"), answer_integer(detail, "advskew"),
	                when_span(answer_seconds(detail, "interval_s"), interval),
	                when_span(answer_seconds(detail, "master_down_s"), down),
	                answer_is_true(detail, "preempt") ? "on" : "off");
	text_out_end_line(&out);
}

static void print_master_advert(struct terminal terminal, const json_t *advert)
{
	struct text_out out = start_line(terminal, "master advert");
	char age[WHEN_TEXT_BYTES];

	if (json_is_object(advert))
		text_out_printf(&out,
		                "from %s, advbase %" JSON_INTEGER_FORMAT " advskew %" JSON_INTEGER_FORMAT
		                " demote %" JSON_INTEGER_FORMAT ", %s ago, %s",
		                answer_text(advert, "source"), answer_integer(advert, "advbase"),
		                answer_integer(advert, "advskew"), answer_integer(advert, "demote"),
		                when_span(answer_seconds(advert, "age_s"), age),
		                answer_is_true(advert, "sealed") ? "sealed" : "not sealed");
	else
		text_out_write(&out, "none heard");
	text_out_end_line(&out);
}

static void print_adverts(struct terminal terminal, const json_t *counters)
{
	struct text_out out = start_line(terminal, "adverts");

	text_out_printf(&out,
	                "sent %" JSON_INTEGER_FORMAT ", received %" JSON_INTEGER_FORMAT
	                ", send errors %" JSON_INTEGER_FORMAT,
	                answer_integer(counters, "adverts_sent"),
	                answer_integer(counters, "adverts_received"),
	                answer_integer(counters, "send_errors"));
	text_out_end_line(&out);
	print_counters(terminal, "dropped", json_object_get(counters, "dropped"), false, "none");
}

void print_show(struct terminal terminal, const json_t *status, const json_t *group)
{
	const json_t *detail = json_object_get(group, "detail");

	print_headline(terminal, status);
	putchar('\n');
	print_state(terminal, group);
	print_reason(terminal, group, detail);
	print_sentences(terminal, "problem", json_object_get(group, "problems"));
	print_sentences(terminal, "note", json_object_get(group, "notes"));
	print_conflict(terminal, json_object_get(detail, "conflict"));
	print_transition(terminal, json_object_get(detail, "last_transition"));
	print_line(terminal, "master", answer_text(group, "master"));
	print_list(terminal, "addresses", json_object_get(group, "addresses"), "none");
	print_mac(terminal, group, detail);
	print_list(terminal, "sources", json_object_get(detail, "sources"), "none");
	print_list(terminal, "peers", json_object_get(detail, "peers"), "multicast");
	print_timing(terminal, detail);
	print_line(terminal, "seal", answer_text(detail, "seal"));
	print_master_advert(terminal, json_object_get(detail, "master_advert"));
	print_adverts(terminal, json_object_get(detail, "counters"));
	print_counters(terminal, "gate", json_object_get(detail, "gate"), true, "none");
}
