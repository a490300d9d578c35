#include "carpctl/print.h"

#include <stdio.h>
#include <string.h>

#include "carpctl/answer.h"
#include "carpctl/when.h"

#define DATE_WIDTH 11 /* "2026-11-23 " */

struct columns {
	bool dated; /* some entry is not of today */
	size_t time, group;
};

static struct columns measure(const json_t *entries)
{
	struct columns columns = {.dated = false, .time = 0, .group = 0};
	const json_t *entry;
	struct when when;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		size_t group = text_out_measure(answer_text(entry, "group"));

		columns.group = group > columns.group ? group : columns.group;
		if (when_parse(answer_text(entry, "time"), &when) && !when.today)
			columns.dated = true;
	}
	columns.time = strlen("02:13:07.412") + (columns.dated ? DATE_WIDTH : 0);
	return columns;
}

static void print_time(struct text_out *out, const char *timestamp, bool dated)
{
	char text[WHEN_TEXT_BYTES];
	struct when when;

	if (!when_parse(timestamp, &when)) {
		text_out_write(out, timestamp);
		return;
	}
	if (dated && when.today)
		out->spaces = DATE_WIDTH;
	text_out_printf(out, "%s.%03d",
	                (strftime(text, sizeof(text), when.today ? "%T" : "%F %T", &when.local), text),
	                when.milliseconds);
}

static void print_entry(struct terminal terminal, const json_t *entry, const struct columns *columns)
{
	struct text_out out = {.terminal = terminal, .indent = columns->time + columns->group + 4};

	print_time(&out, answer_text(entry, "time"), columns->dated);
	text_out_move(&out, columns->time + 2);
	text_out_write(&out, answer_text(entry, "group"));
	text_out_move(&out, out.indent);
	if (!answer_is_null(entry, "from"))
		text_out_printf(&out, "%s -> %s   ", answer_text(entry, "from"), answer_text(entry, "to"));
	text_out_write(&out, answer_text(entry, "text"));
	text_out_end_line(&out);
}

void print_log(struct terminal terminal, const json_t *entries)
{
	struct columns columns = measure(entries);
	const json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		print_entry(terminal, entry, &columns);
	}
}
