#include "trace.h"

#include <inttypes.h>
#include <stdarg.h>

#include "core/clock.h"

void trace_line(struct trace *trace, int64_t now_ns, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	trace_mix(trace, (uint64_t)now_ns);
	for (const char *c = text; *c != '\0'; c++)
		trace_mix(trace, (uint8_t)*c);
	if (trace->lines != NULL)
		fprintf(trace->lines, "%6" PRId64 ".%09" PRId64 "  %s\n", now_ns / NS_PER_S,
		        now_ns % NS_PER_S, text);
}
