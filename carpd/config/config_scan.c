#include "config_scan.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX  8    /* two are needed: a list in a group */
#define STRING_MAX 4096 /* as a path; libconfuse takes its time for a string in steps of a few bytes */

struct scanner {
	char *at; /* the text ends with a zero that does not count */
	const char *end;
	int line;
	struct config_report *report;
	struct config_scan *found;
	int opened[DEPTH_MAX]; /* the lines of the braces that are open */
	size_t depth;
	char last; /* the last character that is neither blank nor comment */
};

static void blank_line(struct scanner *s)
{
	while (s->at < s->end && *s->at != '\n')
		*s->at++ = ' ';
}

static bool blank_block(struct scanner *s)
{
	const char *close = memmem(s->at + 2, (size_t)(s->end - s->at - 2), "*/", 2);

	if (close == NULL) {
		config_error(s->report, s->line, "this comment is not closed; put */ at its end");
		return false;
	}
	for (; s->at < close + 2; s->at++) {
		if (*s->at == '\n')
			s->line++;
		else
			*s->at = ' ';
	}
	return true;
}

static bool escape_is_zero(const char *escape)
{
	if (escape[0] == 'x')
		return escape[1] == '0' &&
		       (escape[2] == '0' || strspn(escape + 2, "0123456789abcdefABCDEF") == 0);
	return escape[0] == '0' && strspn(escape, "0") == strspn(escape, "01234567");
}

static bool refuse_variable(struct scanner *s)
{
	config_error(
	        s->report, s->line,
	        "${...} is not replaced by anything here; write the value, or \\$ in a string for the sign");
	return false;
}

static bool skip_string(struct scanner *s)
{
	char quote = *s->at++;
	const char *begin = s->at;

	for (; s->at < s->end && *s->at != '\n'; s->at++) {
		if (*s->at == quote) {
			s->at++;
			return true;
		}
		if (s->at - begin >= STRING_MAX) {
			config_error(s->report, s->line,
			             "this string is longer than %d bytes; nothing here needs that",
			             STRING_MAX);
			return false;
		}
		if (quote == '"' && s->at[0] == '$' && s->at[1] == '{')
			return refuse_variable(s);
		if (*s->at != '\\')
			continue;
		if (quote == '"' && escape_is_zero(s->at + 1)) {
			config_error(s->report, s->line, "this string has a zero byte; leave it out");
			return false;
		}
		if (s->at[1] != '\n' && s->at + 1 < s->end)
			s->at++;
	}
	config_error(s->report, s->line, "this string is not closed; put %c at its end", quote);
	return false;
}

static bool open_brace(struct scanner *s)
{
	if (s->depth == DEPTH_MAX) {
		config_error(s->report, s->line,
		             "too many braces inside each other; a group holds lists only");
		return false;
	}
	if (s->depth == 0 && s->last != '=') {
		struct config_scan *found = s->found;
		int *lines = reallocarray(found->block_lines, found->block_count + 1, sizeof(*lines));

		if (lines == NULL) {
			config_error(s->report, 0, "out of memory");
			return false;
		}
		found->block_lines = lines;
		lines[found->block_count++] = s->line;
	}
	s->opened[s->depth++] = s->line;
	return true;
}

static bool close_brace(struct scanner *s)
{
	if (s->depth == 0) {
		config_error(s->report, s->line, "this } closes nothing; take it out");
		return false;
	}
	s->depth--;
	return true;
}

static bool starts_word(char last)
{
	return strchr(" \t\r\n={}(),+\"'", last) != NULL;
}

static bool scan_next(struct scanner *s, char before)
{
	char c = *s->at;

	if (c == '\0') {
		config_error(s->report, s->line, "there is a zero byte; this is not a text file");
		return false;
	}
	if (c == '#' || (c == '/' && s->at[1] == '/' && starts_word(before))) {
		blank_line(s);
		return true;
	}
	if (c == '/' && s->at[1] == '*')
		return blank_block(s);
	if (c == '"' || c == '\'') {
		s->last = c;
		return skip_string(s);
	}
	if (c == '$' && s->at[1] == '{')
		return refuse_variable(s);
	if ((c == '{' && !open_brace(s)) || (c == '}' && !close_brace(s)))
		return false;
	if (c == '\n')
		s->line++;
	else if (c != ' ' && c != '\t' && c != '\r')
		s->last = c;
	s->at++;
	return true;
}

bool config_scan_text(char *text, size_t length, struct config_report *report, struct config_scan *ret_scan)
{
	struct config_scan found = {0};
	struct scanner s = {.at = text, .end = text + length, .line = 1, .report = report, .found = &found};
	bool good = true;

	/* Editors of other systems put a mark of UTF-8 in front, which says nothing. */
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		memset(text, ' ', 3);
	while (good && s.at < s.end)
		good = scan_next(&s, s.at > text ? s.at[-1] : '\n');
	if (good && s.depth > 0) {
		config_error(report, s.opened[s.depth - 1], "this { is not closed; put } at its end");
		good = false;
	}
	if (!good) {
		config_scan_free(&found);
		return false;
	}
	*ret_scan = found;
	return true;
}

void config_scan_free(struct config_scan *scan)
{
	free(scan->block_lines);
	*scan = (struct config_scan){0};
}
