/*
 * Spans and times of day as a person reads them.
 */
#ifndef CARPD_CARPCTL_WHEN_H
#define CARPD_CARPCTL_WHEN_H

#include <stdbool.h>
#include <time.h>

#define WHEN_TEXT_BYTES 48

/* "0.31 s", "12 s", "1 min 26 s", "2 h 5 min", "3 d 4 h". */
const char *when_span(double seconds, char text[WHEN_TEXT_BYTES]);

struct when {
	struct tm local;
	int milliseconds;
	bool today;
};

/* Reads "2026-11-23T02:13:07.412+00:00"; false if it is none. */
bool when_parse(const char *timestamp, struct when *ret_when);

/* "02:13:07", with the date before it unless it is today's; a text that is no time stays as it is. */
const char *when_time(const char *timestamp, char text[WHEN_TEXT_BYTES]);

#endif
