#include "log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static bool with_priority;

/* A shell may have inherited the words and not the stream. */
void log_open(void)
{
	const char *journal = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat status;

	if (journal == NULL || fstat(STDERR_FILENO, &status) < 0)
		return;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
	with_priority = strcmp(journal, ours) == 0;
}

/*
 * A reader that is slow or gone must not hold up the one who has adverts to send:
 * a line for which there is no room is lost, and the next one says so.
 */
static bool has_room(void)
{
	struct pollfd output = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&output, 1, 0) == 1 && (output.revents & POLLOUT) != 0;
}

/* One write a line, so that the lines of two processes do not mix. */
static void put(const char *line, size_t length)
{
	static unsigned lost;

	if (!has_room()) {
		lost++;
		return;
	}
	if (lost > 0)
		dprintf(STDERR_FILENO, "%u lines were lost: nobody read them\n", lost);
	lost = write(STDERR_FILENO, line, length) < 0 ? 1 : 0;
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	size_t length = 0;
	va_list arguments;

	if (with_priority)
		length = (size_t)snprintf(line, sizeof(line), "<%d>", level);
	va_start(arguments, format);
	int wanted = vsnprintf(line + length, sizeof(line) - length - 1, format, arguments);
	va_end(arguments);
	if (wanted < 0)
		return;
	length += (size_t)wanted;
	if (length > sizeof(line) - 2)
		length = sizeof(line) - 2;
	line[length++] = '\n';
	put(line, length);
}

void log_lines(enum log_level level, const char *text)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		log_line(level, "%.*s", (int)length, text);
		text += length + (text[length] == '\n');
	}
}
