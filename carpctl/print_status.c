#include "carpctl/print.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "carpctl/answer.h"
#include "carpctl/when.h"

#define ADDRESSES_SHOWN 8 /* of a group; `carpctl show` has them all */

enum column { GROUP, INTERFACE, VHID, STATE, SINCE, MASTER, ADDRESSES, COLUMNS };

static const char *const titles[COLUMNS] = {"GROUP", "INTERFACE", "VHID",     "STATE",
                                            "SINCE", "MASTER",    "ADDRESSES"};

struct row {
	const char *text[ADDRESSES]; /* all but the last, which wraps */
	char vhid[24];
	char since[WHEN_TEXT_BYTES];
	const json_t *group;
};

struct table {
	struct row *rows;
	size_t count;
	size_t start[COLUMNS]; /* where each column begins */
	size_t width[ADDRESSES];
	bool addresses_below; /* the widest one does not fit beside the rest */
};

static void print_demotion(struct text_out *out, const json_t *demotion)
{
	char span[WHEN_TEXT_BYTES];

	text_out_write(out, answer_text(demotion, "name"));
	if (!answer_is_null(demotion, "why"))
		text_out_printf(out, ": %s", answer_text(demotion, "why"));
	if (!answer_is_null(demotion, "expires_s"))
		text_out_printf(out, ", for another %s",
		                when_span(answer_seconds(demotion, "expires_s"), span));
}

/* Only the reasons of the whole host are in its sum; a split-off demotion group is told by itself. */
static void print_demotions(struct text_out *out, const json_t *status)
{
	const json_t *demotions = json_object_get(status, "demotions"), *demotion;
	json_int_t sum = answer_integer(status, "demotion");
	size_t i, told = 0;

	if (sum != 0)
		text_out_printf(out, ", demoted by %" JSON_INTEGER_FORMAT, sum);
	json_array_foreach(demotions, i, demotion)
	{
		if (sum == 0 || strcmp(answer_text(demotion, "group"), "host") != 0)
			continue;
		text_out_write(out, told++ == 0 ? " (" : "; ");
		print_demotion(out, demotion);
	}
	if (told > 0)
		text_out_write(out, ")");
	json_array_foreach(demotions, i, demotion)
	{
		if (strcmp(answer_text(demotion, "group"), "host") == 0)
			continue;
		text_out_printf(out, ", %s demoted by %" JSON_INTEGER_FORMAT " (",
		                answer_text(demotion, "group"), answer_integer(demotion, "value"));
		print_demotion(out, demotion);
		text_out_write(out, ")");
	}
}

void print_headline(struct terminal terminal, const json_t *status)
{
	struct text_out out = {.terminal = terminal};
	bool healthy = answer_is_true(status, "healthy");
	char span[WHEN_TEXT_BYTES];

	text_out_printf(&out, "%s  ", answer_text(status, "host"));
	out.indent = out.column + out.spaces;
	out.color = healthy ? COLOR_GOOD : COLOR_BAD;
	text_out_write(&out, healthy ? "healthy" : "in trouble");
	out.color = COLOR_PLAIN;
	text_out_printf(&out, ", serving %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " groups",
	                answer_integer(status, "serving"), answer_integer(status, "groups_total"));
	print_demotions(&out, status);
	text_out_printf(&out, "   up %s", when_span(answer_seconds(status, "up_s"), span));
	text_out_end_line(&out);
}

static size_t widest_address(const json_t *group)
{
	const json_t *address;
	size_t i, widest = 0;

	json_array_foreach(json_object_get(group, "addresses"), i, address)
	{
		size_t width = text_out_measure(answer_item(address));

		widest = width > widest ? width : widest;
	}
	return widest;
}

static void fill_row(struct row *row, const json_t *group)
{
	row->group = group;
	snprintf(row->vhid, sizeof(row->vhid), "%" JSON_INTEGER_FORMAT, answer_integer(group, "vhid"));
	row->text[GROUP] = answer_text(group, "name");
	row->text[INTERFACE] = answer_text(group, "interface");
	row->text[VHID] = row->vhid;
	row->text[STATE] =
	        answer_is_true(group, "handing_over") ? "handing over" : answer_text(group, "state");
	row->text[SINCE] = when_span(answer_seconds(group, "since_s"), row->since);
	row->text[MASTER] = answer_text(group, "master");
}

static void measure_table(struct table *table, size_t paper_width)
{
	size_t widest = 0, at = 0;

	for (enum column c = 0; c < ADDRESSES; c++)
		table->width[c] = text_out_measure(titles[c]);
	for (size_t r = 0; r < table->count; r++) {
		size_t address = widest_address(table->rows[r].group);

		widest = address > widest ? address : widest;
		for (enum column c = 0; c < ADDRESSES; c++) {
			size_t width = text_out_measure(table->rows[r].text[c]);

			table->width[c] = width > table->width[c] ? width : table->width[c];
		}
	}
	for (enum column c = 0; c < COLUMNS; c++) {
		table->start[c] = at;
		at += c < ADDRESSES ? table->width[c] + 2 : 0;
	}
	table->addresses_below = paper_width > 0 && at + widest > paper_width;
}

static void print_titles(struct terminal terminal, const struct table *table)
{
	struct text_out out = {.terminal = terminal};

	out.color = COLOR_HEAD;
	for (enum column c = 0; c < COLUMNS; c++) {
		if (c == ADDRESSES && table->addresses_below)
			break;
		if (c > 0)
			text_out_move(&out, table->start[c]);
		text_out_write(&out, titles[c]);
	}
	out.color = COLOR_PLAIN;
	text_out_end_line(&out);
}

static void print_addresses(struct text_out *out, const json_t *addresses)
{
	const json_t *address;
	size_t i;

	json_array_foreach(addresses, i, address)
	{
		if (i == ADDRESSES_SHOWN) {
			text_out_printf(out, "  and %zu more", json_array_size(addresses) - i);
			break;
		}
		text_out_printf(out, "%s%s", i > 0 ? "  " : "", answer_item(address));
	}
}

static enum color state_ink(const char *state)
{
	if (strcmp(state, "master") == 0)
		return COLOR_GOOD;
	return strcmp(state, "init") == 0 ? COLOR_BAD : COLOR_PLAIN;
}

static void print_row(struct terminal terminal, const struct table *table, const struct row *row)
{
	struct text_out out = {.terminal = terminal, .indent = table->start[ADDRESSES]};

	/* The cells fit by measure, and must not wrap where a terminal is too narrow even for them. */
	out.terminal.width = 0;
	for (enum column c = 0; c < ADDRESSES; c++) {
		size_t right = c == VHID ? table->width[c] - text_out_measure(row->text[c]) : 0;

		if (c > 0)
			text_out_move(&out, table->start[c] + right);
		if (c == STATE)
			out.color = state_ink(row->text[c]);
		text_out_write(&out, row->text[c]);
		if (c == STATE)
			out.color = COLOR_PLAIN;
	}
	out.terminal.width = terminal.width;
	if (table->addresses_below) {
		text_out_end_line(&out);
		out.indent = out.spaces = 4;
	} else {
		text_out_move(&out, table->start[ADDRESSES]);
	}
	print_addresses(&out, json_object_get(row->group, "addresses"));
	text_out_end_line(&out);
}

/* "CONFLICT 192.168.0.9 advertises ...": what follows the shouted word hangs beside it. */
static void print_problem(struct terminal terminal, const char *name, size_t name_width, const char *problem)
{
	struct text_out out = {.terminal = terminal, .indent = name_width + 2};
	size_t shouted = strspn(problem, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	text_out_write(&out, name);
	text_out_move(&out, name_width + 2);
	if (shouted >= 4 && problem[shouted] == ' ') {
		out.color = COLOR_BAD;
		text_out_printf(&out, "%.*s", (int)shouted, problem);
		out.color = COLOR_PLAIN;
		out.spaces = 1;
		out.indent = out.column + 2;
		problem += shouted;
	}
	text_out_write(&out, problem);
	text_out_end_line(&out);
}

static size_t print_problems(struct terminal terminal, const char *name, size_t name_width,
                             const json_t *problems, size_t told)
{
	const json_t *problem;
	size_t i;

	json_array_foreach(problems, i, problem)
	{
		if (told++ == 0)
			putchar('\n');
		print_problem(terminal, name, name_width, answer_item(problem));
	}
	return told;
}

/* What does not make the host unhealthy. */
static size_t print_notes(struct terminal terminal, const char *name, size_t name_width, const json_t *notes,
                          size_t told)
{
	const json_t *note;
	size_t i;

	json_array_foreach(notes, i, note)
	{
		struct text_out out = {.terminal = terminal, .indent = name_width + 2};
		if (told++ == 0)
			putchar('\n');
		text_out_write(&out, name);
		text_out_move(&out, name_width + 2);
		text_out_printf(&out, "note: %s", answer_item(note));
		text_out_end_line(&out);
	}
	return told;
}

static void print_table(struct terminal terminal, const struct table *table)
{
	putchar('\n');
	print_titles(terminal, table);
	for (size_t r = 0; r < table->count; r++)
		print_row(terminal, table, &table->rows[r]);
}

void print_status(struct terminal terminal, const json_t *status)
{
	const json_t *groups = json_object_get(status, "groups"), *group;
	struct table table = {.count = json_array_size(groups)};
	size_t i, told;

	print_headline(terminal, status);
	table.rows = calloc(table.count + 1, sizeof(*table.rows));
	if (!table.rows)
		abort();
	json_array_foreach(groups, i, group)
	{
		fill_row(&table.rows[i], group);
	}
	measure_table(&table, terminal.width);
	if (table.count > 0)
		print_table(terminal, &table);

	told = print_problems(terminal, "host", table.width[GROUP], json_object_get(status, "problems"), 0);
	json_array_foreach(groups, i, group)
	{
		told = print_problems(terminal, answer_text(group, "name"), table.width[GROUP],
		                      json_object_get(group, "problems"), told);
		told = print_notes(terminal, answer_text(group, "name"), table.width[GROUP],
		                   json_object_get(group, "notes"), told);
	}
	free(table.rows);
}
