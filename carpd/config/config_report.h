/*
 * What is wrong with a configuration: collected, then told in the order of the lines.
 */
#ifndef CARPD_CONFIG_REPORT_H
#define CARPD_CONFIG_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CONFIG_QUOTE_MAX 96

struct config_message {
	int line;     /* 0: the file as a whole */
	size_t order; /* in which it was found */
	char *text;
};

struct config_report {
	const char *path;
	bool is_no_file;   /* lines and the name of the group mean nothing to whoever typed it */
	const char *group; /* the one being read, or NULL */
	struct config_message *messages;
	size_t message_count;
	size_t error_count; /* messages that are not warnings, and those that found no memory */
};

void config_error(struct config_report *report, int line, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
void config_warning(struct config_report *report, int line, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* Prints every message as "path:line: text" and forgets it. */
void config_report_flush(struct config_report *report, FILE *errors);

/* Whether it is of letters, digits, _ . and -, has one at least, and is shorter than room. */
bool config_name_is_good(const char *name, size_t room);
/* In double quotes, control characters escaped, a long text shortened: safe on any terminal. */
const char *config_quote(const char *text, char quoted[CONFIG_QUOTE_MAX]);

#endif
