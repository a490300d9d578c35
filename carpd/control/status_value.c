/*
 * Single values as the control socket tells them.
 */
#include "status_private.h"

#include "carpd/log/text.h"

json_t *status_address(const struct address *address)
{
	char text[TEXT_ADDRESS_MAX];

	return address->family == FAMILY_NONE ? json_null() : json_string(text_address(address, text));
}

double status_seconds(int64_t span_ns)
{
	return (double)span_ns / (double)NS_PER_S;
}

double status_since_s(const struct daemon *daemon, instant then)
{
	return status_seconds(instant_span_ns(then, daemon->now));
}

json_t *status_time(const struct daemon *daemon, instant at)
{
	char text[TEXT_TIME_MAX];

	return json_string(text_time(at.ns + daemon->engine->wall_offset_ns, text));
}
