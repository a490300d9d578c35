#include "network.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int network_enter(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) < 0) {
		perror("skipped: no network namespace");
		exit(77);
	}
	network_run("ip link set lo up");
	return 0;
}

void network_run(const char *format, ...)
{
	char command[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

bool network_shows(const char *command, const char *text)
{
	static char output[1 << 20];
	FILE *pipe = popen(command, "r");
	size_t bytes;

	assert_non_null(pipe);
	bytes = fread(output, 1, sizeof(output) - 1, pipe);
	output[bytes] = '\0';
	pclose(pipe);
	return strstr(output, text) != NULL;
}

int network_index(const char *link)
{
	unsigned int index = if_nametoindex(link);

	assert_int_not_equal(index, 0);
	return (int)index;
}

struct mac network_mac(const char *link)
{
	struct ifreq request = {0};
	struct mac mac = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", link);
	assert_int_equal(ioctl(fd, SIOCGIFHWADDR, &request), 0);
	close(fd);
	memcpy(mac.bytes, request.ifr_hwaddr.sa_data, sizeof(mac.bytes));
	return mac;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct patience network_patience(void)
{
	return (struct patience){now_s() + 5};
}

void network_wait(struct patience patience, int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	double left = patience.end - now_s();

	if (left <= 0 || poll(&ready, 1, (int)(left * 1000) + 1) == 0)
		fail_msg("waited in vain");
}
