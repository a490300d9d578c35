#include "ipv6.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* In its absence the kernel has given the interface no IPv6 at all. */
enum ipv6_state ipv6_look(const char *interface)
{
	char path[96];
	char value = '0';

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", interface);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return access("/proc/sys/net/ipv6/conf", F_OK) == 0 ? IPV6_NARROW : IPV6_MISSING;
	if (read(fd, &value, 1) != 1)
		value = '0';
	close(fd);
	return value == '1' ? IPV6_OFF : IPV6_ON;
}
