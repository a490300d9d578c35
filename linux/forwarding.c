#include "forwarding.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

bool forwarding_ipv6(const char *interface)
{
	char path[96];
	char value = '0';

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/forwarding", interface);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, &value, 1) != 1)
		value = '0';
	close(fd);
	return value == '1';
}
