#include "carpctl/when.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE INT64_C(60)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

const char *when_span(double seconds, char text[WHEN_TEXT_BYTES])
{
	int64_t whole = seconds > 0 && seconds < 1e15 ? (int64_t)seconds : 0;

	if (seconds > 0 && seconds < 9.995)
		snprintf(text, WHEN_TEXT_BYTES, "%.2f s", seconds);
	else if (whole < MINUTE)
		snprintf(text, WHEN_TEXT_BYTES, "%" PRId64 " s", whole);
	else if (whole < HOUR)
		snprintf(text, WHEN_TEXT_BYTES, "%" PRId64 " min %" PRId64 " s", whole / MINUTE,
		         whole % MINUTE);
	else if (whole < DAY)
		snprintf(text, WHEN_TEXT_BYTES, "%" PRId64 " h %" PRId64 " min", whole / HOUR,
		         whole % HOUR / MINUTE);
	else
		snprintf(text, WHEN_TEXT_BYTES, "%" PRId64 " d %" PRId64 " h", whole / DAY,
		         whole % DAY / HOUR);
	return text;
}

static bool parse_offset(const char *text, long *ret_seconds)
{
	int hours, minutes, end = 0;

	if (strcmp(text, "Z") == 0) {
		*ret_seconds = 0;
		return true;
	}
	if ((*text != '+' && *text != '-') || sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2 ||
	    text[1 + end] != '\0')
		return false;
	*ret_seconds = (hours * 60L + minutes) * (*text == '-' ? -60 : 60);
	return true;
}

bool when_parse(const char *timestamp, struct when *ret_when)
{
	struct tm utc = {.tm_isdst = 0}, today;
	time_t moment, now = time(NULL);
	double fraction = 0;
	long offset_s;
	char *rest = strptime(timestamp, "%Y-%m-%dT%H:%M:%S", &utc);

	if (!rest)
		return false;
	if (*rest == '.')
		fraction = strtod(rest, &rest);
	if (!parse_offset(rest, &offset_s))
		return false;

	moment = timegm(&utc) - offset_s;
	if (!localtime_r(&moment, &ret_when->local) || !localtime_r(&now, &today))
		return false;
	ret_when->milliseconds = (int)(fraction * 1000 + 0.5);
	if (ret_when->milliseconds > 999)
		ret_when->milliseconds = 999;
	ret_when->today =
	        ret_when->local.tm_year == today.tm_year && ret_when->local.tm_yday == today.tm_yday;
	return true;
}

const char *when_time(const char *timestamp, char text[WHEN_TEXT_BYTES])
{
	struct when when;

	if (!when_parse(timestamp, &when))
		return timestamp;
	strftime(text, WHEN_TEXT_BYTES, when.today ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &when.local);
	return text;
}
