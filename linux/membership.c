#include "linux/membership.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* "2  eth0  ff020000000000000000000000000012  1 00000004 0" */
static bool is_listed_ipv6(FILE *list, int link_index, const struct address *group)
{
	char wanted[33], line[160], found[33];
	int index;

	for (size_t i = 0; i < sizeof(group->bytes); i++)
		snprintf(wanted + 2 * i, 3, "%02x", group->bytes[i]);
	while (fgets(line, sizeof(line), list))
		if (sscanf(line, "%d %*s %32s", &index, found) == 2 && index == link_index &&
		    strcmp(found, wanted) == 0)
			return true;
	return false;
}

/* A line for the link, then one for each of its groups, indented: "120000E0  1 0:00000000  0" */
static bool is_listed_ipv4(FILE *list, int link_index, const struct address *group)
{
	char line[160];
	uint32_t wanted, found;
	int index = 0;

	memcpy(&wanted, group->bytes, sizeof(wanted));
	while (fgets(line, sizeof(line), list)) {
		if (line[0] != '\t')
			(void)sscanf(line, "%d", &index);
		else if (index == link_index && sscanf(line, "%x", &found) == 1 && found == wanted)
			return true;
	}
	return false;
}

bool membership_is_there(int link_index, const struct address *group)
{
	bool ipv4 = group->family == FAMILY_IPV4;
	FILE *list = fopen(ipv4 ? "/proc/net/igmp" : "/proc/net/igmp6", "re");
	bool there;

	if (!list)
		return true;
	there = ipv4 ? is_listed_ipv4(list, link_index, group) : is_listed_ipv6(list, link_index, group);
	fclose(list);
	return there;
}
