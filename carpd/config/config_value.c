#include "config_value.h"

#include <stdlib.h>
#include <string.h>

#include "nearest.h"
#include "carpd/log/text.h"

static bool parse_number(const char *text, int least, int most, int *ret_number)
{
	size_t digits = strspn(text, "0123456789");
	long number;

	if (digits == 0 || digits > 9 || text[digits] != '\0')
		return false;
	number = strtol(text, NULL, 10);
	if (number < least || number > most)
		return false;
	*ret_number = (int)number;
	return true;
}

void config_value_number(struct config_report *report, cfg_t *section, const char *option,
                         struct config_range range, int *ret_number)
{
	const struct config_word *word = config_read_word(section, option, 0);
	char shown[CONFIG_QUOTE_MAX];

	if (word != NULL && !parse_number(word->text, range.least, range.most, ret_number))
		config_error(report, word->line, "%s is %s; write a whole number from %d to %d%s", option,
		             config_quote(word->text, shown), range.least, range.most, range.remark);
}

void config_value_byte(struct config_report *report, cfg_t *section, const char *option,
                       struct config_range range, uint8_t *ret_number)
{
	int number = *ret_number;

	config_value_number(report, section, option, range, &number);
	*ret_number = (uint8_t)number;
}

void config_value_choice(struct config_report *report, cfg_t *section, const char *option,
                         const char *const *choices, int *ret_index)
{
	const struct config_word *word = config_read_word(section, option, 0);
	char shown[CONFIG_QUOTE_MAX], list[128] = "";
	const char *nearest;

	if (word == NULL)
		return;
	for (int i = 0; choices[i] != NULL; i++) {
		if (strcmp(word->text, choices[i]) == 0) {
			*ret_index = i;
			return;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i > 0 ? ", " : "",
		         choices[i]);
	}
	config_quote(word->text, shown);
	nearest = nearest_word(word->text, choices);
	if (nearest != NULL)
		config_error(report, word->line, "%s cannot be %s; did you mean \"%s\"?", option, shown,
		             nearest);
	else
		config_error(report, word->line, "%s cannot be %s; it is one of %s", option, shown, list);
}

void config_value_bool(struct config_report *report, cfg_t *section, const char *option, bool *ret_bool)
{
	/* The false ones stand at even places. */
	static const char *const choices[] = {"false", "true", "no", "yes", "off", "on", NULL};
	int index = *ret_bool;

	config_value_choice(report, section, option, choices, &index);
	*ret_bool = index % 2 != 0;
}

void config_value_name(struct config_report *report, cfg_t *section, const char *option, size_t room,
                       char *ret_name)
{
	const struct config_word *word = config_read_word(section, option, 0);
	char shown[CONFIG_QUOTE_MAX];

	if (word == NULL)
		return;
	if (config_name_is_good(word->text, room))
		memcpy(ret_name, word->text, strlen(word->text) + 1);
	else
		config_error(report, word->line,
		             "%s is %s; write 1..%zu characters, of letters, digits, \"_\", \".\" and \"-\"",
		             option, config_quote(word->text, shown), room - 1);
}

void config_value_path(struct config_report *report, cfg_t *section, const char *option, size_t room,
                       char *ret_path)
{
	const struct config_word *word = config_read_word(section, option, 0);
	char shown[CONFIG_QUOTE_MAX];

	if (word == NULL)
		return;
	if (word->text[0] == '/' && strlen(word->text) < room)
		memcpy(ret_path, word->text, strlen(word->text) + 1);
	else
		config_error(report, word->line,
		             "%s is %s; write a path that begins with / and has at most %zu characters",
		             option, config_quote(word->text, shown), room - 1);
}

/* What an address is that no host can have, or NULL. */
static const char *misuse(const struct address *a)
{
	static const uint8_t loopback[16] = {[15] = 1};
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool is_ipv4 = a->family == FAMILY_IPV4;

	if (address_is_unspecified(a) || (is_ipv4 && a->bytes[0] == 0))
		return "an unspecified";
	if (address_is_multicast(a))
		return "a multicast";
	if (is_ipv4 ? a->bytes[0] == 127 : memcmp(a->bytes, loopback, sizeof(loopback)) == 0)
		return "a loopback";
	if (is_ipv4 && a->bytes[0] >= 240)
		return "a reserved or broadcast";
	if (!is_ipv4 && memcmp(a->bytes, mapped, sizeof(mapped)) == 0)
		return "an IPv4-mapped";
	return NULL;
}

/* What an address is in its own subnet that no host can have, or NULL.  In /31 and /127 all are good (RFC
 * 3021, 6164). */
static const char *subnet_misuse(const struct address *a, int prefix_length)
{
	bool zeros = true, ones = true;
	int most = (int)(8 * address_bytes(a));

	if (prefix_length >= most - 1)
		return NULL;
	for (int bit = prefix_length; bit < most; bit++) {
		bool set = (a->bytes[bit / 8] & (0x80 >> bit % 8)) != 0;
		zeros &= !set;
		ones &= set;
	}
	if (zeros)
		return a->family == FAMILY_IPV4 ? "the address of its network itself"
		                                : "the anycast address of its network's routers";
	return ones && a->family == FAMILY_IPV4 ? "the broadcast address of its network" : NULL;
}

bool config_value_address(struct config_report *report, const struct config_word *word,
                          struct address *ret_address, uint8_t *ret_prefix_length)
{
	char text[TEXT_ADDRESS_MAX], shown[CONFIG_QUOTE_MAX];
	size_t length = ret_prefix_length != NULL ? strcspn(word->text, "/") : strlen(word->text);
	const char *prefix = word->text[length] == '/' ? word->text + length + 1 : NULL;
	struct address address;
	int most, prefix_length;

	config_quote(word->text, shown);
	snprintf(text, sizeof(text), "%.*s", (int)(length < sizeof(text) ? length : 0), word->text);
	if (!text_read_address(text, &address)) {
		config_error(report, word->line, "%s is no IP address; write %s", shown,
		             ret_prefix_length != NULL ? "one such as 10.0.0.1/24 or 2001:db8::1/64"
		                                       : "one such as 10.0.0.2 or 2001:db8::2");
		return false;
	}
	if (misuse(&address) != NULL) {
		config_error(report, word->line, "%s is %s address; write one that a host can have", shown,
		             misuse(&address));
		return false;
	}
	most = address.family == FAMILY_IPV4 ? 32 : 128;
	prefix_length = most;
	if (prefix != NULL && !parse_number(prefix, 1, most, &prefix_length)) {
		config_error(report, word->line, "%s has a wrong prefix length; write 1..%d behind the /",
		             shown, most);
		return false;
	}
	if (subnet_misuse(&address, prefix_length) != NULL) {
		config_error(report, word->line,
		             "%s is %s; write one that a host can have, or another length", shown,
		             subnet_misuse(&address, prefix_length));
		return false;
	}
	*ret_address = address;
	if (ret_prefix_length != NULL)
		*ret_prefix_length = (uint8_t)prefix_length;
	return true;
}
