#include "carpctl/print.h"

#include <stdio.h>

#include "carpctl/answer.h"
#include "carpctl/when.h"

#define VALUE_COLUMN 17

static struct pen start_line(struct paper paper, const char *label)
{
	struct pen pen = {.paper = paper, .indent = VALUE_COLUMN};

	pen.ink = INK_HEAD;
	pen_write(&pen, label);
	pen.ink = INK_PLAIN;
	pen_move(&pen, VALUE_COLUMN);
	return pen;
}

static void print_line(struct paper paper, const char *label, const char *text)
{
	struct pen pen = start_line(paper, label);

	pen_write(&pen, text);
	pen_end_line(&pen);
}

static void print_list(struct paper paper, const char *label, const json_t *list, const char *if_empty)
{
	struct pen pen = start_line(paper, label);
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		pen_printf(&pen, "%s%s", i > 0 ? "  " : "", answer_item(item));
	}
	if (json_array_size(list) == 0)
		pen_write(&pen, if_empty);
	pen_end_line(&pen);
}

/* Counters, in the daemon's order; those that are zero only when asked for. */
static void print_counters(struct paper paper, const char *label, json_t *counters, bool with_zero,
                           const char *if_none)
{
	struct pen pen = start_line(paper, label);
	const char *name;
	json_t *value;
	size_t told = 0;

	json_object_foreach(counters, name, value)
	{
		if (!json_is_integer(value) || (!with_zero && json_integer_value(value) == 0))
			continue;
		pen_printf(&pen, "%s%s %" JSON_INTEGER_FORMAT, told++ > 0 ? ", " : "", name,
		           json_integer_value(value));
	}
	if (told == 0)
		pen_write(&pen, if_none);
	pen_end_line(&pen);
}

static void print_state(struct paper paper, const json_t *group)
{
	struct pen pen = start_line(paper, answer_text(group, "name"));
	char span[WHEN_TEXT_BYTES], time[WHEN_TEXT_BYTES];

	pen.ink = INK_HEAD;
	pen_write(&pen, answer_text(group, "state"));
	pen.ink = INK_PLAIN;
	pen_printf(&pen, " on %s, vhid %" JSON_INTEGER_FORMAT, answer_text(group, "interface"),
	           answer_integer(group, "vhid"));
	if (answer_is_true(group, "handing_over"))
		pen_write(&pen, ", handing over");
	pen_end_line(&pen);

	pen = start_line(paper, "since");
	pen_printf(&pen, "%s, for %s", when_time(answer_text(group, "since"), time),
	           when_span(answer_seconds(group, "since_s"), span));
	pen_end_line(&pen);
}

static void print_reason(struct paper paper, const json_t *group, const json_t *detail)
{
	char label[VALUE_COLUMN];

	snprintf(label, sizeof(label), "why %s", answer_text(group, "state"));
	if (!answer_is_null(detail, "why"))
		print_line(paper, label, answer_text(detail, "why"));
	if (!answer_is_null(detail, "next"))
		print_line(paper, "next", answer_text(detail, "next"));
}

static void print_transition(struct paper paper, const json_t *entry)
{
	struct pen pen;
	char time[WHEN_TEXT_BYTES];

	if (!json_is_object(entry))
		return;
	pen = start_line(paper, "last transition");
	pen_printf(&pen, "%s  %s -> %s  %s", when_time(answer_text(entry, "time"), time),
	           answer_text(entry, "from"), answer_text(entry, "to"), answer_text(entry, "text"));
	pen_end_line(&pen);
}

static void print_sentences(struct paper paper, const char *name, const json_t *sentences)
{
	const json_t *sentence;
	size_t i;

	json_array_foreach(sentences, i, sentence)
	{
		print_line(paper, name, answer_item(sentence));
	}
}

static void print_conflict(struct paper paper, const json_t *conflict)
{
	struct pen pen;
	char time[WHEN_TEXT_BYTES];

	if (!json_is_object(conflict))
		return;
	pen = start_line(paper, "conflict");
	pen_printf(&pen, "%s, %" JSON_INTEGER_FORMAT " times since %s: %s", answer_text(conflict, "source"),
	           answer_integer(conflict, "count"), when_time(answer_text(conflict, "since"), time),
	           answer_text(conflict, "diagnosis"));
	pen_end_line(&pen);
}

static void print_mac(struct paper paper, const json_t *group, const json_t *detail)
{
	struct pen pen = start_line(paper, "mac");

	pen_write(&pen, answer_text(group, "mac"));
	if (!answer_is_null(detail, "virtual_mac"))
		pen_printf(&pen, ", %s", answer_text(detail, "virtual_mac"));
	pen_end_line(&pen);
}

static void print_timing(struct paper paper, const json_t *detail)
{
	struct pen pen = start_line(paper, "timing");
	char interval[WHEN_TEXT_BYTES], down[WHEN_TEXT_BYTES];

	pen_printf(&pen,
	           "advbase %" JSON_INTEGER_FORMAT " advskew %" JSON_INTEGER_FORMAT
	           ": an advert every %s, takeover after %s of silence, preempt %s",
	           answer_integer(detail, "advbase"), answer_integer(detail, "advskew"),
	           when_span(answer_seconds(detail, "interval_s"), interval),
	           when_span(answer_seconds(detail, "master_down_s"), down),
	           answer_is_true(detail, "preempt") ? "on" : "off");
	pen_end_line(&pen);
}

static void print_master_advert(struct paper paper, const json_t *advert)
{
	struct pen pen = start_line(paper, "master advert");
	char age[WHEN_TEXT_BYTES];

	if (json_is_object(advert))
		pen_printf(&pen,
		           "from %s, advbase %" JSON_INTEGER_FORMAT " advskew %" JSON_INTEGER_FORMAT
		           " demote %" JSON_INTEGER_FORMAT ", %s ago, %s",
		           answer_text(advert, "source"), answer_integer(advert, "advbase"),
		           answer_integer(advert, "advskew"), answer_integer(advert, "demote"),
		           when_span(answer_seconds(advert, "age_s"), age),
		           answer_is_true(advert, "sealed") ? "sealed" : "not sealed");
	else
		pen_write(&pen, "none heard");
	pen_end_line(&pen);
}

static void print_adverts(struct paper paper, const json_t *counters)
{
	struct pen pen = start_line(paper, "adverts");

	pen_printf(&pen,
	           "sent %" JSON_INTEGER_FORMAT ", received %" JSON_INTEGER_FORMAT
	           ", send errors %" JSON_INTEGER_FORMAT,
	           answer_integer(counters, "adverts_sent"), answer_integer(counters, "adverts_received"),
	           answer_integer(counters, "send_errors"));
	pen_end_line(&pen);
	print_counters(paper, "dropped", json_object_get(counters, "dropped"), false, "none");
}

void print_show(struct paper paper, const json_t *status, const json_t *group)
{
	const json_t *detail = json_object_get(group, "detail");

	print_headline(paper, status);
	putchar('\n');
	print_state(paper, group);
	print_reason(paper, group, detail);
	print_sentences(paper, "problem", json_object_get(group, "problems"));
	print_sentences(paper, "note", json_object_get(group, "notes"));
	print_conflict(paper, json_object_get(detail, "conflict"));
	print_transition(paper, json_object_get(detail, "last_transition"));
	print_line(paper, "master", answer_text(group, "master"));
	print_list(paper, "addresses", json_object_get(group, "addresses"), "none");
	print_mac(paper, group, detail);
	print_list(paper, "sources", json_object_get(detail, "sources"), "none");
	print_list(paper, "peers", json_object_get(detail, "peers"), "multicast");
	print_timing(paper, detail);
	print_line(paper, "seal", answer_text(detail, "seal"));
	print_master_advert(paper, json_object_get(detail, "master_advert"));
	print_adverts(paper, json_object_get(detail, "counters"));
	print_counters(paper, "gate", json_object_get(detail, "gate"), true, "none");
}
