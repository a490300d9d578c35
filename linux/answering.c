#include "answering.h"

#include <stdio.h>

static int read_setting(const char *interface, const char *setting)
{
	char path[96];
	int value = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", interface, setting);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%d", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

/* The kernel takes the greater one of both. */
static bool is_set(const char *interface, const char *setting)
{
	return read_setting("all", setting) > 0 || read_setting(interface, setting) > 0;
}

bool answering_for_others(const char *interface)
{
	return !is_set(interface, "arp_ignore") && !is_set(interface, "arp_filter");
}
