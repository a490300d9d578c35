#include "config_route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carpd/log/text.h"

#define WORD_BYTES 64

struct words {
	char destination[WORD_BYTES], gateway[WORD_BYTES];
	unsigned long metric;
};

static bool split(const char *text, struct words *words)
{
	char via[WORD_BYTES], metric[WORD_BYTES], number[WORD_BYTES], rest, *end;
	int count = sscanf(text, "%63s %63s %63s %63s %63s %c", words->destination, via, words->gateway,
	                   metric, number, &rest);

	words->metric = 0;
	if ((count != 3 && count != 5) || strcmp(via, "via") != 0)
		return false;
	if (count == 3)
		return true;
	words->metric = strtoul(number, &end, 10);
	return strcmp(metric, "metric") == 0 && number[0] >= '1' && number[0] <= '9' && *end == '\0' &&
	       words->metric <= UINT32_MAX;
}

static bool has_host_bits(const struct shared_address *subnet)
{
	for (unsigned bit = subnet->prefix_length; bit < 8 * address_bytes(&subnet->address); bit++)
		if ((subnet->address.bytes[bit / 8] & (0x80 >> bit % 8)) != 0)
			return true;
	return false;
}

static bool read_destination(const char *text, enum family family, struct shared_address *ret_subnet)
{
	char address[TEXT_ADDRESS_MAX];
	size_t length = strcspn(text, "/");
	char *end;

	*ret_subnet = (struct shared_address){.address.family = (uint8_t)family};
	if (strcmp(text, "default") == 0)
		return true;
	if (length >= sizeof(address))
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)length, text);
	if (!text_read_address(address, &ret_subnet->address) || ret_subnet->address.family != family)
		return false;
	unsigned long most = 8 * address_bytes(&ret_subnet->address), bits = most;
	if (text[length] == '/') {
		bits = strtoul(text + length + 1, &end, 10);
		if (text[length + 1] < '0' || text[length + 1] > '9' || *end != '\0' || bits > most)
			return false;
	}
	ret_subnet->prefix_length = (uint8_t)bits;
	return true;
}

bool config_route_read(struct config_report *report, const struct config_word *word,
                       struct rtnl_route *ret_route)
{
	struct rtnl_route route = {0};
	char shown[CONFIG_QUOTE_MAX];
	struct words words;

	config_quote(word->text, shown);
	if (!split(word->text, &words) || !text_read_address(words.gateway, &route.gateway) ||
	    !read_destination(words.destination, (enum family)route.gateway.family, &route.destination)) {
		config_error(
		        report, word->line,
		        "route %s is not understood; write \"default via ADDRESS\" or \"SUBNET/LENGTH via "
		        "ADDRESS\", of one family, and \"metric NUMBER\" behind it if need be",
		        shown);
		return false;
	}
	if (has_host_bits(&route.destination)) {
		config_error(
		        report, word->line,
		        "route %s: the address is longer than its prefix; write the subnet's first address",
		        shown);
		return false;
	}
	if (address_is_unspecified(&route.gateway) || address_is_multicast(&route.gateway)) {
		config_error(report, word->line, "route %s: no host can have the gateway's address", shown);
		return false;
	}
	route.metric = (uint32_t)words.metric;
	*ret_route = route;
	return true;
}

const char *config_route_text(const struct rtnl_route *route, char text[CONFIG_ROUTE_TEXT_MAX])
{
	char destination[TEXT_ADDRESS_MAX], gateway[TEXT_ADDRESS_MAX];
	size_t used;

	text_address(&route->gateway, gateway);
	text_address(&route->destination.address, destination);
	if (route->destination.prefix_length == 0)
		snprintf(text, CONFIG_ROUTE_TEXT_MAX, "default via %s", gateway);
	else
		snprintf(text, CONFIG_ROUTE_TEXT_MAX, "%s/%d via %s", destination,
		         route->destination.prefix_length, gateway);
	used = strlen(text);
	if (route->metric != 0)
		snprintf(text + used, CONFIG_ROUTE_TEXT_MAX - used, " metric %u", route->metric);
	return text;
}
