#include "carpctl/text_out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_MIN 40 /* below this, wrapping makes it worse */

struct terminal terminal_look(void)
{
	const char *columns = getenv("COLUMNS"), *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	bool is_terminal = isatty(STDOUT_FILENO);
	struct terminal terminal = {.width = 0, .color = false};
	struct winsize size;

	if (columns)
		terminal.width = (size_t)strtoul(columns, NULL, 10);
	else if (is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		terminal.width = size.ws_col;
	if (terminal.width < WIDTH_MIN || terminal.width > 10000)
		terminal.width = 0;
	/* https://no-color.org: set and not empty. */
	terminal.color = is_terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
	return terminal;
}

static size_t measure(const char *text, size_t bytes)
{
	size_t columns = 0;

	for (size_t i = 0; i < bytes; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

size_t text_out_measure(const char *text)
{
	return measure(text, strlen(text));
}

static const char *const ink_codes[] = {
        [COLOR_PLAIN] = "",
        [COLOR_GOOD] = "\033[32m",
        [COLOR_BAD] = "\033[1;31m",
        [COLOR_HEAD] = "\033[1m",
};

static void write_word(struct text_out *out, const char *word, size_t bytes)
{
	size_t columns = measure(word, bytes);
	bool colored = out->terminal.color && out->color != COLOR_PLAIN;
	bool fits = out->terminal.width == 0 || out->column + out->spaces + columns <= out->terminal.width;

	if (!fits && out->spaces > 0 && out->column > out->indent) {
		putchar('\n');
		out->column = 0;
		out->spaces = out->indent;
	}
	printf("%*s%s%.*s%s", (int)out->spaces, "", colored ? ink_codes[out->color] : "", (int)bytes, word,
	       colored ? "\033[0m" : "");
	out->column += out->spaces + columns;
	out->spaces = 0;
}

void text_out_write(struct text_out *out, const char *text)
{
	while (*text) {
		size_t spaces = strspn(text, " "), bytes = strcspn(text + spaces, " ");

		out->spaces += spaces;
		if (bytes > 0)
			write_word(out, text + spaces, bytes);
		text += spaces + bytes;
	}
}

void text_out_printf(struct text_out *out, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		abort();
	text_out_write(out, text);
	free(text);
}

void text_out_move(struct text_out *out, size_t column)
{
	out->spaces = column > out->column + 2 ? column - out->column : 2;
}

void text_out_end_line(struct text_out *out)
{
	putchar('\n');
	out->column = 0;
	out->spaces = 0;
}
