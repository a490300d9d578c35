#include "config.h"

#include "config_route.h"
#include "carpd/log/text.h"

/* "$" is escaped because libconfuse would take "${" for a variable. */
static void print_string(FILE *out, const uint8_t *bytes, size_t count)
{
	fputc('"', out);
	for (size_t i = 0; i < count; i++) {
		uint8_t c = bytes[i];

		if (c == '"' || c == '\\' || c == '$')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void print_text(FILE *out, const char *text)
{
	size_t count = 0;

	while (text[count] != '\0')
		count++;
	print_string(out, (const uint8_t *)text, count);
}

static const char *bool_word(bool value)
{
	return value ? "true" : "false";
}

static void print_hex(FILE *out, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%02x", bytes[i]);
}

static void print_addresses(const struct config_group *group, FILE *out)
{
	char text[TEXT_ADDRESS_MAX];

	fprintf(out, "\taddresses       = { ");
	for (size_t i = 0; i < group->address_count; i++)
		fprintf(out, "%s\"%s/%d\"", i > 0 ? ", " : "",
		        text_address(&group->addresses[i].address, text), group->addresses[i].prefix_length);
	fprintf(out, " }\n");
}

static void print_peers(const struct config_group *group, FILE *out)
{
	char text[TEXT_ADDRESS_MAX];

	if (group->peer_count == 0)
		return;
	fprintf(out, "\tpeers           = { ");
	for (size_t i = 0; i < group->peer_count; i++)
		fprintf(out, "%s\"%s\"", i > 0 ? ", " : "", text_address(&group->peers[i], text));
	fprintf(out, " }\n");
}

static void print_source(const struct config_group *group, FILE *out)
{
	const struct address *sources[] = {&group->source_ipv4, &group->source_ipv6};
	char text[TEXT_ADDRESS_MAX];
	int count = 0;

	for (size_t i = 0; i < 2; i++)
		if (sources[i]->family != FAMILY_NONE)
			fprintf(out, "%s\"%s\"", count++ > 0 ? ", " : "\tsource          = { ",
			        text_address(sources[i], text));
	if (count > 0)
		fprintf(out, " }\n");
}

static void print_routes(const struct config_group *group, FILE *out)
{
	char text[CONFIG_ROUTE_TEXT_MAX];

	if (group->route_count == 0)
		return;
	fprintf(out, "\troutes          = { ");
	for (size_t i = 0; i < group->route_count; i++)
		fprintf(out, "%s\"%s\"", i > 0 ? ", " : "", config_route_text(&group->routes[i], text));
	fprintf(out, " }\n");
}

static void print_passphrase(const struct config_group *group, enum config_secrets secrets, FILE *out)
{
	const struct passphrase *passphrase = &group->passphrase;

	if (secrets == CONFIG_HIDE_SECRETS && group->passphrase_file[0] != '\0') {
		fprintf(out, "\tpassphrase-file = ");
		print_text(out, group->passphrase_file);
	} else if (passphrase->length == PASSPHRASE_BYTES_MAX) {
		fprintf(out, "\tpassphrase      = \"0x");
		print_hex(out, passphrase->bytes, passphrase->length);
		fputc('"', out);
	} else {
		fprintf(out, "\tpassphrase      = ");
		print_string(out, passphrase->bytes, passphrase->length);
	}
	fputc('\n', out);
}

static void print_key(const struct config_key *key, enum config_secrets secrets, FILE *out)
{
	char text[sizeof("255:") + CONFIG_PATH_MAX];

	if (key->id == 0) {
		fprintf(out, "\"passphrase\"");
		return;
	}
	if (secrets == CONFIG_HIDE_SECRETS && key->path[0] != '\0') {
		snprintf(text, sizeof(text), "%d:%s", key->id, key->path);
		print_text(out, text);
		return;
	}
	fprintf(out, "\"%d:hex:", key->id);
	print_hex(out, key->bytes, sizeof(key->bytes));
	fputc('"', out);
}

static void print_keys(const struct config_group *group, enum config_secrets secrets, FILE *out)
{
	if (group->key_count == 0)
		return;
	fprintf(out, "\tkeys            = { ");
	for (size_t i = 0; i < group->key_count; i++) {
		if (i > 0)
			fprintf(out, ", ");
		print_key(&group->keys[i], secrets, out);
	}
	fprintf(out, " }\n");
}

static void print_group(const struct config_group *group, enum config_secrets secrets, FILE *out)
{
	fprintf(out, "\ngroup %s {\n\tinterface       = ", group->name);
	print_text(out, group->interface);
	fprintf(out, "\n\tvhid            = %d\n", group->vhid);
	print_addresses(group, out);
	print_passphrase(group, secrets, out);
	fprintf(out, "\tadvbase         = %d\n", group->advbase);
	fprintf(out, "\tadvskew         = %d\n", group->advskew);
	fprintf(out, "\tpreempt         = %s\n", bool_word(group->preempt));
	fprintf(out, "\tpreempt-delay   = %d\n", group->preempt_delay_s);
	fprintf(out, "\tdemotion-group  = \"%s\"\n", group->demotion_group);
	fprintf(out, "\tmac             = %s\n", config_mac_words[group->mac]);
	print_peers(group, out);
	print_source(group, out);
	print_routes(group, out);
	fprintf(out, "\tttl-check       = %s\n", bool_word(group->ttl_check));
	fprintf(out, "\thash-link-local = %s\n", bool_word(group->hash_link_local == DIGEST_WITH_LINK_LOCAL));
	fprintf(out, "\tseal            = %s\n", config_seal_words[group->seal]);
	print_keys(group, secrets, out);
	fprintf(out, "\tseal-window     = %d\n", group->seal_window_s);
	fprintf(out, "}\n");
}

void config_print(const struct config *config, enum config_secrets secrets, FILE *out)
{
	fprintf(out, "user            = \"%s\"\n", config->user);
	fprintf(out, "control         = ");
	print_text(out, config->control_path);
	fprintf(out, "\nstate-directory = ");
	print_text(out, config->state_directory);
	fprintf(out, "\nrealtime        = %s\n", bool_word(config->realtime));
	fprintf(out, "sandbox         = %s\n", bool_word(config->sandbox));
	fprintf(out, "handover-wait   = %d\n", config->handover_wait_ms);
	fprintf(out, "grace           = %d\n", config->grace_s);
	for (size_t i = 0; i < config->group_count; i++)
		print_group(&config->groups[i], secrets, out);
}
