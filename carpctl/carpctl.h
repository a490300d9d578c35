/*
 * What every command gets, and what its number tells a script.
 */
#ifndef CARPD_CARPCTL_CARPCTL_H
#define CARPD_CARPCTL_CARPCTL_H

#include <stdbool.h>

#include "carpctl/text_out.h"

#define SOCKET_PATH_DEFAULT "/run/carpd/control"
#define LOG_COUNT_MAX       256 /* what carpd keeps */

enum exit_code {
	EXIT_WELL = 0,
	EXIT_WRONG = 1,       /* something is wrong there, or an action failed */
	EXIT_USAGE = 2,       /* the command line makes no sense */
	EXIT_UNREACHABLE = 3, /* no answer, or none that makes sense */
};

struct options {
	const char *socket_path;
	int timeout_s; /* 0: what the command finds right */
	int log_count; /* 0: not given */
	bool json;
	struct terminal terminal;
};

#endif
