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

static void print_demotion(struct pen *pen, const json_t *demotion)
{
	char span[WHEN_TEXT_BYTES];

	pen_write(pen, answer_text(demotion, "name"));
	if (!answer_is_null(demotion, "why"))
		pen_printf(pen, ": %s", answer_text(demotion, "why"));
	if (!answer_is_null(demotion, "expires_s"))
		pen_printf(pen, ", for another %s", when_span(answer_seconds(demotion, "expires_s"), span));
}

/* Only the reasons of the whole host are in its sum; a split-off demotion group is told by itself. */
static void print_demotions(struct pen *pen, const json_t *status)
{
	const json_t *demotions = json_object_get(status, "demotions"), *demotion;
	json_int_t sum = answer_integer(status, "demotion");
	size_t i, told = 0;

	if (sum != 0)
		pen_printf(pen, ", demoted by %" JSON_INTEGER_FORMAT, sum);
	json_array_foreach(demotions, i, demotion)
	{
		if (sum == 0 || strcmp(answer_text(demotion, "group"), "host") != 0)
			continue;
		pen_write(pen, told++ == 0 ? " (" : "; ");
		print_demotion(pen, demotion);
	}
	if (told > 0)
		pen_write(pen, ")");
	json_array_foreach(demotions, i, demotion)
	{
		if (strcmp(answer_text(demotion, "group"), "host") == 0)
			continue;
		pen_printf(pen, ", %s demoted by %" JSON_INTEGER_FORMAT " (", answer_text(demotion, "group"),
		           answer_integer(demotion, "value"));
		print_demotion(pen, demotion);
		pen_write(pen, ")");
	}
}

void print_headline(struct paper paper, const json_t *status)
{
	struct pen pen = {.paper = paper};
	bool healthy = answer_is_true(status, "healthy");
	char span[WHEN_TEXT_BYTES];

	pen_printf(&pen, "%s  ", answer_text(status, "host"));
	pen.indent = pen.column + pen.spaces;
	pen.ink = healthy ? INK_GOOD : INK_BAD;
	pen_write(&pen, healthy ? "healthy" : "in trouble");
	pen.ink = INK_PLAIN;
	pen_printf(&pen, ", serving %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " groups",
	           answer_integer(status, "serving"), answer_integer(status, "groups_total"));
	print_demotions(&pen, status);
	pen_printf(&pen, "   up %s", when_span(answer_seconds(status, "up_s"), span));
	pen_end_line(&pen);
}

static size_t widest_address(const json_t *group)
{
	const json_t *address;
	size_t i, widest = 0;

	json_array_foreach(json_object_get(group, "addresses"), i, address)
	{
		size_t width = pen_measure(answer_item(address));

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
		table->width[c] = pen_measure(titles[c]);
	for (size_t r = 0; r < table->count; r++) {
		size_t address = widest_address(table->rows[r].group);

		widest = address > widest ? address : widest;
		for (enum column c = 0; c < ADDRESSES; c++) {
			size_t width = pen_measure(table->rows[r].text[c]);

			table->width[c] = width > table->width[c] ? width : table->width[c];
		}
	}
	for (enum column c = 0; c < COLUMNS; c++) {
		table->start[c] = at;
		at += c < ADDRESSES ? table->width[c] + 2 : 0;
	}
	table->addresses_below = paper_width > 0 && at + widest > paper_width;
}

static void print_titles(struct paper paper, const struct table *table)
{
	struct pen pen = {.paper = paper};

	pen.ink = INK_HEAD;
	for (enum column c = 0; c < COLUMNS; c++) {
		if (c == ADDRESSES && table->addresses_below)
			break;
		if (c > 0)
			pen_move(&pen, table->start[c]);
		pen_write(&pen, titles[c]);
	}
	pen.ink = INK_PLAIN;
	pen_end_line(&pen);
}

static void print_addresses(struct pen *pen, const json_t *addresses)
{
	const json_t *address;
	size_t i;

	json_array_foreach(addresses, i, address)
	{
		if (i == ADDRESSES_SHOWN) {
			pen_printf(pen, "  and %zu more", json_array_size(addresses) - i);
			break;
		}
		pen_printf(pen, "%s%s", i > 0 ? "  " : "", answer_item(address));
	}
}

static enum ink state_ink(const char *state)
{
	if (strcmp(state, "master") == 0)
		return INK_GOOD;
	return strcmp(state, "init") == 0 ? INK_BAD : INK_PLAIN;
}

static void print_row(struct paper paper, const struct table *table, const struct row *row)
{
	struct pen pen = {.paper = paper, .indent = table->start[ADDRESSES]};

	/* The cells fit by measure, and must not wrap where a terminal is too narrow even for them. */
	pen.paper.width = 0;
	for (enum column c = 0; c < ADDRESSES; c++) {
		size_t right = c == VHID ? table->width[c] - pen_measure(row->text[c]) : 0;

		if (c > 0)
			pen_move(&pen, table->start[c] + right);
		if (c == STATE)
			pen.ink = state_ink(row->text[c]);
		pen_write(&pen, row->text[c]);
		if (c == STATE)
			pen.ink = INK_PLAIN;
	}
	pen.paper.width = paper.width;
	if (table->addresses_below) {
		pen_end_line(&pen);
		pen.indent = pen.spaces = 4;
	} else {
		pen_move(&pen, table->start[ADDRESSES]);
	}
	print_addresses(&pen, json_object_get(row->group, "addresses"));
	pen_end_line(&pen);
}

/* "CONFLICT 192.168.0.9 advertises ...": what follows the shouted word hangs beside it. */
static void print_problem(struct paper paper, const char *name, size_t name_width, const char *problem)
{
	struct pen pen = {.paper = paper, .indent = name_width + 2};
	size_t shouted = strspn(problem, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	pen_write(&pen, name);
	pen_move(&pen, name_width + 2);
	if (shouted >= 4 && problem[shouted] == ' ') {
		pen.ink = INK_BAD;
		pen_printf(&pen, "%.*s", (int)shouted, problem);
		pen.ink = INK_PLAIN;
		pen.spaces = 1;
		pen.indent = pen.column + 2;
		problem += shouted;
	}
	pen_write(&pen, problem);
	pen_end_line(&pen);
}

static size_t print_problems(struct paper paper, const char *name, size_t name_width, const json_t *problems,
                             size_t told)
{
	const json_t *problem;
	size_t i;

	json_array_foreach(problems, i, problem)
	{
		if (told++ == 0)
			putchar('\n');
		print_problem(paper, name, name_width, answer_item(problem));
	}
	return told;
}

/* What does not make the host unhealthy. */
static size_t print_notes(struct paper paper, const char *name, size_t name_width, const json_t *notes,
                          size_t told)
{
	const json_t *note;
	size_t i;

	json_array_foreach(notes, i, note)
	{
		struct pen pen = {.paper = paper, .indent = name_width + 2};
		if (told++ == 0)
			putchar('\n');
		pen_write(&pen, name);
		pen_move(&pen, name_width + 2);
		pen_printf(&pen, "note: %s", answer_item(note));
		pen_end_line(&pen);
	}
	return told;
}

static void print_table(struct paper paper, const struct table *table)
{
	putchar('\n');
	print_titles(paper, table);
	for (size_t r = 0; r < table->count; r++)
		print_row(paper, table, &table->rows[r]);
}

void print_status(struct paper paper, const json_t *status)
{
	const json_t *groups = json_object_get(status, "groups"), *group;
	struct table table = {.count = json_array_size(groups)};
	size_t i, told;

	print_headline(paper, status);
	table.rows = calloc(table.count + 1, sizeof(*table.rows));
	if (!table.rows)
		abort();
	json_array_foreach(groups, i, group)
	{
		fill_row(&table.rows[i], group);
	}
	measure_table(&table, paper.width);
	if (table.count > 0)
		print_table(paper, &table);

	told = print_problems(paper, "host", table.width[GROUP], json_object_get(status, "problems"), 0);
	json_array_foreach(groups, i, group)
	{
		told = print_problems(paper, answer_text(group, "name"), table.width[GROUP],
		                      json_object_get(group, "problems"), told);
		told = print_notes(paper, answer_text(group, "name"), table.width[GROUP],
		                   json_object_get(group, "notes"), told);
	}
	free(table.rows);
}
