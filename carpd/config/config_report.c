#include "config_report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 31

const char *config_quote(const char *text, char quoted[CONFIG_QUOTE_MAX])
{
	/* The longest escape, the dots, the closing quote and the zero must still fit. */
	const size_t limit = CONFIG_QUOTE_MAX - 4 - 3 - 1 - 1;
	size_t used = 0;

	quoted[used++] = '"';
	for (; *text != '\0' && used <= limit; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\') {
			quoted[used++] = '\\';
			quoted[used++] = (char)c;
		} else if (c < 0x20 || c >= 0x7f) {
			used += (size_t)snprintf(quoted + used, 5, "\\x%02x", c);
		} else {
			quoted[used++] = (char)c;
		}
	}
	snprintf(quoted + used, CONFIG_QUOTE_MAX - used, "%s\"", *text != '\0' ? "..." : "");
	return quoted;
}

bool config_name_is_good(const char *name, size_t room)
{
	size_t length = strlen(name);

	return length > 0 && length < room &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == length;
}

__attribute__((format(printf, 4, 0))) static void add_message(struct config_report *report, int line,
                                                              const char *kind, const char *format,
                                                              va_list arguments)
{
	char quoted[CONFIG_QUOTE_MAX];
	const char *group = report->is_no_file ? NULL : report->group;
	struct config_message *messages;
	char *sentence, *text;

	if (group != NULL && !config_name_is_good(group, WORD_MAX + 1))
		group = config_quote(group, quoted);
	if (vasprintf(&sentence, format, arguments) < 0)
		return;
	if (asprintf(&text, "%s%s%s%s%s", kind, group ? "group " : "", group ? group : "", group ? ": " : "",
	             sentence) >= 0) {
		messages = reallocarray(report->messages, report->message_count + 1, sizeof(*messages));
		if (messages != NULL) {
			report->messages = messages;
			messages[report->message_count] =
			        (struct config_message){line, report->message_count, text};
			report->message_count++;
		} else {
			free(text);
		}
	}
	free(sentence);
}

void config_error(struct config_report *report, int line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_message(report, line, "", format, arguments);
	va_end(arguments);
	report->error_count++;
}

void config_warning(struct config_report *report, int line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_message(report, line, "warning: ", format, arguments);
	va_end(arguments);
}

static int by_line(const void *left, const void *right)
{
	const struct config_message *a = left, *b = right;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

void config_report_flush(struct config_report *report, FILE *errors)
{
	if (report->error_count > 0 && report->message_count == 0)
		fprintf(errors, "%s: out of memory\n", report->path);
	if (report->message_count > 0)
		qsort(report->messages, report->message_count, sizeof(*report->messages), by_line);
	for (size_t i = 0; i < report->message_count; i++) {
		const struct config_message *m = &report->messages[i];

		if (m->line > 0 && !report->is_no_file)
			fprintf(errors, "%s:%d: %s\n", report->path, m->line, m->text);
		else
			fprintf(errors, "%s: %s\n", report->path, m->text);
		free(m->text);
	}
	free(report->messages);
	report->messages = NULL;
	report->message_count = 0;
}
