#include "carpctl/pen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_MIN 40 /* below this, wrapping makes it worse */

struct paper paper_measure(void)
{
	const char *columns = getenv("COLUMNS"), *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	bool terminal = isatty(STDOUT_FILENO);
	struct paper paper = {.width = 0, .color = false};
	struct winsize size;

	if (columns)
		paper.width = (size_t)strtoul(columns, NULL, 10);
	else if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		paper.width = size.ws_col;
	if (paper.width < WIDTH_MIN || paper.width > 10000)
		paper.width = 0;
	/* https://no-color.org: set and not empty. */
	paper.color = terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
	return paper;
}

static size_t measure(const char *text, size_t bytes)
{
	size_t columns = 0;

	for (size_t i = 0; i < bytes; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

size_t pen_measure(const char *text)
{
	return measure(text, strlen(text));
}

static const char *const ink_codes[] = {
        [INK_PLAIN] = "",
        [INK_GOOD] = "\033[32m",
        [INK_BAD] = "\033[1;31m",
        [INK_HEAD] = "\033[1m",
};

static void write_word(struct pen *pen, const char *word, size_t bytes)
{
	size_t columns = measure(word, bytes);
	bool colored = pen->paper.color && pen->ink != INK_PLAIN;
	bool fits = pen->paper.width == 0 || pen->column + pen->spaces + columns <= pen->paper.width;

	if (!fits && pen->spaces > 0 && pen->column > pen->indent) {
		putchar('\n');
		pen->column = 0;
		pen->spaces = pen->indent;
	}
	printf("%*s%s%.*s%s", (int)pen->spaces, "", colored ? ink_codes[pen->ink] : "", (int)bytes, word,
	       colored ? "\033[0m" : "");
	pen->column += pen->spaces + columns;
	pen->spaces = 0;
}

void pen_write(struct pen *pen, const char *text)
{
	while (*text) {
		size_t spaces = strspn(text, " "), bytes = strcspn(text + spaces, " ");

		pen->spaces += spaces;
		if (bytes > 0)
			write_word(pen, text + spaces, bytes);
		text += spaces + bytes;
	}
}

void pen_printf(struct pen *pen, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		abort();
	pen_write(pen, text);
	free(text);
}

void pen_move(struct pen *pen, size_t column)
{
	pen->spaces = column > pen->column + 2 ? column - pen->column : 2;
}

void pen_end_line(struct pen *pen)
{
	putchar('\n');
	pen->column = 0;
	pen->spaces = 0;
}
