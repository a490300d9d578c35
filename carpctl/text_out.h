/*
 * Writes words on standard output and starts a new line, indented, where one
 * would not fit.
 */
#ifndef CARPD_CARPCTL_TEXT_OUT_H
#define CARPD_CARPCTL_TEXT_OUT_H

#include <stdbool.h>
#include <stddef.h>

struct terminal {
	size_t width; /* in columns; 0: nothing is ever wrapped */
	bool color;
};

enum color {
	COLOR_PLAIN,
	COLOR_GOOD,
	COLOR_BAD,
	COLOR_HEAD,
};

struct text_out {
	struct terminal terminal;
	enum color color; /* of the words that follow */
	size_t indent;    /* of the lines that follow */
	size_t column;
	size_t spaces; /* owed before the next word */
};

/* What standard output is: a terminal's width counts, a file or pipe has none. */
struct terminal terminal_look(void);

/* Columns that a text takes; every character counts as one. */
size_t text_out_measure(const char *text);

void text_out_write(struct text_out *out, const char *text);
void text_out_printf(struct text_out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Moves to the column, at least two after the last word. */
void text_out_move(struct text_out *out, size_t column);
void text_out_end_line(struct text_out *out);

#endif
