#include "systemd.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MEAL_MAX_MS 10000

void systemd_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (path == NULL || strlen(path) >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, strlen(path));
	if (path[0] == '@')
		to.sun_path[0] = '\0'; /* an abstract name */
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)(const void *)&to,
	             length);
	close(fd);
}

/* Twice in the manager's time, so that one that comes late is not the last.  0: there is no watchdog. */
static int64_t time_between_meals_ms(void)
{
	const char *wanted_us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long ms = wanted_us != NULL ? strtoll(wanted_us, NULL, 10) / 2000 : 0;

	if (ms <= 0 || (pid != NULL && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	return ms < MEAL_MAX_MS ? ms : MEAL_MAX_MS;
}

int systemd_feed_watchdog(void)
{
	static int64_t next_ms;
	int64_t interval_ms = time_between_meals_ms();
	struct timespec t;

	if (interval_ms == 0)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &t);
	int64_t now_ms = t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
	if (now_ms >= next_ms) {
		systemd_notify("WATCHDOG=1");
		next_ms = now_ms + interval_ms;
	}
	return (int)(next_ms - now_ms);
}
