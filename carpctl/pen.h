/*
 * Writes words on standard output and starts a new line, indented, where one
 * would not fit.
 */
#ifndef CARPD_CARPCTL_PEN_H
#define CARPD_CARPCTL_PEN_H

#include <stdbool.h>
#include <stddef.h>

struct paper {
	size_t width; /* in columns; 0: nothing is ever wrapped */
	bool color;
};

enum ink {
	INK_PLAIN,
	INK_GOOD,
	INK_BAD,
	INK_HEAD,
};

struct pen {
	struct paper paper;
	enum ink ink;  /* of the words that follow */
	size_t indent; /* of the lines that follow */
	size_t column;
	size_t spaces; /* owed before the next word */
};

/* What standard output is: a terminal's width counts, a file or pipe has none. */
struct paper paper_measure(void);

/* Columns that a text takes; every character counts as one. */
size_t pen_measure(const char *text);

void pen_write(struct pen *pen, const char *text);
void pen_printf(struct pen *pen, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Moves to the column, at least two after the last word. */
void pen_move(struct pen *pen, size_t column);
void pen_end_line(struct pen *pen);

#endif
