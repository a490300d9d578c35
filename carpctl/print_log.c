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
		size_t group = pen_measure(answer_text(entry, "group"));

		columns.group = group > columns.group ? group : columns.group;
		if (when_parse(answer_text(entry, "time"), &when) && !when.today)
			columns.dated = true;
	}
	columns.time = strlen("02:13:07.412") + (columns.dated ? DATE_WIDTH : 0);
	return columns;
}

static void print_time(struct pen *pen, const char *timestamp, bool dated)
{
	char text[WHEN_TEXT_BYTES];
	struct when when;

	if (!when_parse(timestamp, &when)) {
		pen_write(pen, timestamp);
		return;
	}
	if (dated && when.today)
		pen->spaces = DATE_WIDTH;
	pen_printf(pen, "%s.%03d",
	           (strftime(text, sizeof(text), when.today ? "%T" : "%F %T", &when.local), text),
	           when.milliseconds);
}

static void print_entry(struct paper paper, const json_t *entry, const struct columns *columns)
{
	struct pen pen = {.paper = paper, .indent = columns->time + columns->group + 4};

	print_time(&pen, answer_text(entry, "time"), columns->dated);
	pen_move(&pen, columns->time + 2);
	pen_write(&pen, answer_text(entry, "group"));
	pen_move(&pen, pen.indent);
	if (!answer_is_null(entry, "from"))
		pen_printf(&pen, "%s -> %s   ", answer_text(entry, "from"), answer_text(entry, "to"));
	pen_write(&pen, answer_text(entry, "text"));
	pen_end_line(&pen);
}

void print_log(struct paper paper, const json_t *entries)
{
	struct columns columns = measure(entries);
	const json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		print_entry(paper, entry, &columns);
	}
}
