#include "config_group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_check.h"
#include "config_route.h"
#include "config_secret.h"
#include "config_value.h"

void config_group_read_common(struct config_parser *p, cfg_t *section, struct config_group *group)
{
	struct config_report *report = &p->report;
	bool with_link_local = group->hash_link_local == DIGEST_WITH_LINK_LOCAL;
	int mac = (int)group->mac, seal = (int)group->seal;

	config_value_byte(report, section, "advbase",
	                  (struct config_range){0, 254, " (seconds; 255 says goodbye)"}, &group->advbase);
	config_value_byte(report, section, "advskew", (struct config_range){0, 254, " (255 says goodbye)"},
	                  &group->advskew);
	config_value_bool(report, section, "preempt", &group->preempt);
	config_value_number(report, section, "preempt-delay",
	                    (struct config_range){0, CONFIG_DAY_S, " (seconds)"}, &group->preempt_delay_s);
	config_value_name(report, section, "demotion-group", sizeof(group->demotion_group),
	                  group->demotion_group);
	config_value_choice(report, section, "mac", config_mac_words, &mac);
	config_value_bool(report, section, "hash-link-local", &with_link_local);
	config_value_bool(report, section, "ttl-check", &group->ttl_check);
	config_value_choice(report, section, "seal", config_seal_words, &seal);
	config_value_number(report, section, "seal-window",
	                    (struct config_range){0, CONFIG_DAY_S, " (seconds; 0 for no check)"},
	                    &group->seal_window_s);
	group->mac = (enum config_mac)mac;
	group->seal = (enum seal_policy)seal;
	group->hash_link_local = with_link_local ? DIGEST_WITH_LINK_LOCAL : DIGEST_WITHOUT_LINK_LOCAL;
}

static void report_missing(struct config_parser *p, const struct config_group *group, const char *what,
                           const char *advice)
{
	if (!p->is_misspelt)
		config_error(&p->report, group->line, "no %s; write %s", what, advice);
}

/* "eth0@if5", as ip(8) prints eth0 with what it is linked to. */
static bool refuse_link_mark(struct config_parser *p, const struct config_word *word)
{
	char name[IFNAMSIZ], shown[CONFIG_QUOTE_MAX], shown_name[CONFIG_QUOTE_MAX];
	size_t length = strcspn(word->text, "@");

	if (word->text[length] == '\0' || length == 0 || length >= sizeof(name))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)length, word->text);
	config_error(&p->report, word->line,
	             "interface cannot be %s: ip(8) prints behind the @ what it is linked to; write %s",
	             config_quote(word->text, shown), config_quote(name, shown_name));
	return true;
}

static void read_interface(struct config_parser *p, cfg_t *section, struct config_group *group)
{
	const struct config_word *word = config_read_word(section, "interface", 0);
	char shown[CONFIG_QUOTE_MAX];
	size_t length;

	if (word == NULL) {
		report_missing(p, group, "interface", "interface = NAME");
		return;
	}
	if (refuse_link_mark(p, word))
		return;
	/* What the kernel's dev_valid_name() takes; it also allows bytes that nobody can type. */
	length = strlen(word->text);
	if (length == 0 || length >= sizeof(group->interface) ||
	    strpbrk(word->text, "/: \t\n\r\v\f") != NULL || strcmp(word->text, ".") == 0 ||
	    strcmp(word->text, "..") == 0)
		config_error(
		        &p->report, word->line,
		        "interface cannot be %s; a name has 1..%zu characters without space, \"/\" and "
		        "\":\"%s",
		        config_quote(word->text, shown), sizeof(group->interface) - 1,
		        length >= sizeof(group->interface)
		                ? "; if this is an alternative name, write the one that ip(8) shows first"
		                : "");
	else
		memcpy(group->interface, word->text, length + 1);
}

static void read_vhid(struct config_parser *p, cfg_t *section, struct config_group *group)
{
	if (config_read_word(section, "vhid", 0) == NULL)
		report_missing(p, group, "vhid", "vhid = 1..255, the same on every host");
	config_value_byte(&p->report, section, "vhid", (struct config_range){1, 255, ""}, &group->vhid);
}

/* At its place in the order, unless it is there already. */
static void add_address(struct config_parser *p, struct config_group *group, const struct config_word *word,
                        struct shared_address added)
{
	char shown[CONFIG_QUOTE_MAX];
	size_t at = group->address_count;

	if (config_check_find(group, &added.address) != NULL) {
		config_error(&p->report, word->line, "%s is in the list twice; keep one",
		             config_quote(word->text, shown));
		return;
	}
	for (; at > 0 && address_compare(&group->addresses[at - 1].address, &added.address) > 0; at--)
		group->addresses[at] = group->addresses[at - 1];
	group->addresses[at] = added;
	group->address_count++;
}

static void read_addresses(struct config_parser *p, cfg_t *section, struct config_group *group)
{
	unsigned int count = cfg_size(section, "addresses");

	if (count == 0) {
		report_missing(p, group, "addresses",
		               "addresses = { \"10.0.0.1/24\", ... } with at least one");
		return;
	}
	group->addresses = calloc(count, sizeof(*group->addresses));
	if (group->addresses == NULL) {
		config_error(&p->report, group->line, "out of memory");
		return;
	}
	for (unsigned int i = 0; i < count; i++) {
		const struct config_word *word = config_read_word(section, "addresses", i);
		struct shared_address shared = {0};

		if (config_value_address(&p->report, word, &shared.address, &shared.prefix_length))
			add_address(p, group, word, shared);
	}
}

static bool has_peer(const struct config_group *group, const struct address *peer)
{
	for (size_t i = 0; i < group->peer_count; i++)
		if (address_equal(&group->peers[i], peer))
			return true;
	return false;
}

/* Few groups have peers or key files, so only those carry the room for them. */
static bool make_room(struct config_parser *p, void **list, unsigned int wanted, size_t count, size_t bytes,
                      int line)
{
	if (wanted == 0)
		return false;
	*list = calloc(count, bytes);
	if (*list == NULL)
		config_error(&p->report, line, "out of memory");
	return *list != NULL;
}

static void read_peers(struct config_parser *p, cfg_t *section, struct config_group *group)
{
	char shown[CONFIG_QUOTE_MAX];
	void *room;

	if (!make_room(p, &room, cfg_size(section, "peers"), CONFIG_PEERS_MAX, sizeof(*group->peers),
	               group->line))
		return;
	group->peers = room;
	for (unsigned int i = 0; i < cfg_size(section, "peers"); i++) {
		const struct config_word *word = config_read_word(section, "peers", i);
		struct address peer;

		if (!config_value_address(&p->report, word, &peer, NULL))
			continue;
		if (has_peer(group, &peer)) {
			config_error(&p->report, word->line, "peer %s is in the list twice; keep one",
			             config_quote(word->text, shown));
		} else if (group->peer_count == CONFIG_PEERS_MAX) {
			config_error(&p->report, word->line, "more than %d peers; use multicast for so many",
			             CONFIG_PEERS_MAX);
			return;
		} else {
			group->peers[group->peer_count++] = peer;
		}
	}
}

static void read_source(struct config_parser *p, cfg_t *section, struct config_group *group)
{
	char shown[CONFIG_QUOTE_MAX];

	for (unsigned int i = 0; i < cfg_size(section, "source"); i++) {
		const struct config_word *word = config_read_word(section, "source", i);
		struct address source;

		if (!config_value_address(&p->report, word, &source, NULL))
			continue;
		struct address *place =
		        source.family == FAMILY_IPV4 ? &group->source_ipv4 : &group->source_ipv6;
		if (place->family != FAMILY_NONE)
			config_error(&p->report, word->line, "source %s is a second one of IPv%d; keep one",
			             config_quote(word->text, shown), source.family);
		else
			*place = source;
	}
}

static void read_routes(struct config_parser *p, cfg_t *section, struct config_group *group)
{
	void *room;

	if (!make_room(p, &room, cfg_size(section, "routes"), CONFIG_ROUTES_MAX, sizeof(*group->routes),
	               group->line))
		return;
	group->routes = room;
	for (unsigned int i = 0; i < cfg_size(section, "routes"); i++) {
		const struct config_word *word = config_read_word(section, "routes", i);
		struct rtnl_route route;

		if (!config_route_read(&p->report, word, &route))
			continue;
		if (group->route_count == CONFIG_ROUTES_MAX) {
			config_error(&p->report, word->line,
			             "more than %d routes; leave them to a routing daemon",
			             CONFIG_ROUTES_MAX);
			return;
		}
		group->routes[group->route_count++] = route;
	}
}

static void refuse_exposed(struct config_parser *p, int line, const char *what)
{
	if (p->is_exposed)
		config_error(&p->report, line,
		             "this file holds a %s and can be read by others (mode %04o); chmod 600 it", what,
		             p->mode);
}

static void read_passphrase(struct config_parser *p, cfg_t *section, struct config_group *group)
{
	const struct config_word *file = config_read_word(section, "passphrase-file", 0);
	const struct config_word *text = config_read_word(section, "passphrase", 0);

	if (file != NULL && text != NULL) {
		config_error(&p->report, text->line, "both passphrase and passphrase-file; keep one");
	} else if (file != NULL) {
		if (config_secret_read_passphrase(&p->report, file->line, file->text, &group->passphrase))
			memcpy(group->passphrase_file, file->text, strlen(file->text) + 1);
	} else if (text != NULL) {
		refuse_exposed(p, text->line, "passphrase");
		config_secret_take_passphrase(&p->report, text->line, text->text, &group->passphrase);
	} else {
		report_missing(p, group, "passphrase", "passphrase-file = FILE");
	}
}

static bool has_key(const struct config_group *group, uint8_t id)
{
	for (size_t i = 0; i < group->key_count; i++)
		if (group->keys[i].id == id)
			return true;
	return false;
}

static void read_keys(struct config_parser *p, cfg_t *section, struct config_group *group)
{
	void *room;

	if (!make_room(p, &room, cfg_size(section, "keys"), SEAL_KEYS_MAX, sizeof(*group->keys), group->line))
		return;
	group->keys = room;
	for (unsigned int i = 0; i < cfg_size(section, "keys"); i++) {
		const struct config_word *word = config_read_word(section, "keys", i);
		struct config_key key;

		if (!config_secret_read_key(&p->report, word->line, word->text, &key))
			continue;
		if (key.path[0] == '\0' && key.id != 0)
			refuse_exposed(p, word->line, "key");
		if (has_key(group, key.id)) {
			config_error(&p->report, word->line,
			             "key id %d is in the list twice; ids must differ", key.id);
		} else if (group->key_count == SEAL_KEYS_MAX) {
			config_error(&p->report, word->line, "more than %d keys; take out the oldest",
			             SEAL_KEYS_MAX);
		} else {
			group->keys[group->key_count++] = key;
		}
		explicit_bzero(&key, sizeof(key));
	}
}

static void read_name(struct config_parser *p, const char *title, struct config_group *group)
{
	if (config_name_is_good(title, sizeof(group->name)))
		memcpy(group->name, title, strlen(title) + 1);
	else
		config_error(
		        &p->report, group->line,
		        "a group's name has 1..%d characters, of letters, digits, \"_\", \".\" and \"-\"",
		        CONFIG_NAME_MAX - 1);
}

void config_group_read(struct config_parser *p, cfg_t *section, int line)
{
	struct config_group *group = &p->config->groups[p->config->group_count++];

	*group = p->defaults;
	group->line = line;
	p->report.group = section->title;
	read_name(p, section->title, group);
	read_interface(p, section, group);
	read_vhid(p, section, group);
	config_group_read_common(p, section, group);
	read_addresses(p, section, group);
	read_peers(p, section, group);
	read_source(p, section, group);
	read_routes(p, section, group);
	read_passphrase(p, section, group);
	read_keys(p, section, group);
	config_check_group(&p->report, p->config, section);
	p->report.group = NULL;
}
