#include "config_option.h"

#include <stddef.h>
#include <string.h>

#include "nearest.h"

#define FOR_HOST  .for_host = true
#define FOR_GROUP .for_group = true
#define FOR_BOTH  .for_host = true, .for_group = true

const struct config_option config_options[] = {
        {"user", FOR_HOST},
        {"control", FOR_HOST},
        {"state-directory", FOR_HOST},
        {"realtime", FOR_HOST},
        {"sandbox", FOR_HOST},
        {"handover-wait", FOR_HOST},
        {"grace", FOR_HOST},
        {"interface", FOR_GROUP},
        {"vhid", FOR_GROUP},
        {"passphrase-file", FOR_GROUP},
        {"passphrase", FOR_GROUP},
        {"addresses", FOR_GROUP, .is_list = true},
        {"keys", FOR_GROUP, .is_list = true},
        {"peers", FOR_GROUP, .is_list = true},
        {"source", FOR_GROUP, .is_list = true},
        {"routes", FOR_GROUP, .is_list = true},
        {"preempt", FOR_BOTH},
        {"preempt-delay", FOR_BOTH},
        {"mac", FOR_BOTH},
        {"seal", FOR_BOTH},
        {"seal-window", FOR_BOTH},
        {"hash-link-local", FOR_BOTH},
        {"ttl-check", FOR_BOTH},
        {"advbase", FOR_BOTH},
        {"advskew", FOR_BOTH},
        {"demotion-group", FOR_BOTH},
        {.word = NULL},
};

_Static_assert(sizeof(config_options) / sizeof(config_options[0]) <= CONFIG_OPTIONS_MAX, "room for all");

bool config_option_fits(const struct config_option *option, bool in_group)
{
	return in_group ? option->for_group : option->for_host;
}

static bool is_known(const char *word, bool in_group)
{
	for (const struct config_option *option = config_options; option->word != NULL; option++)
		if (config_option_fits(option, in_group) && strcmp(option->word, word) == 0)
			return true;
	return false;
}

static const char *nearest_to(const char *word, bool in_group)
{
	const char *words[CONFIG_OPTIONS_MAX + 1];
	size_t count = 0;

	for (const struct config_option *option = config_options; option->word != NULL; option++)
		if (config_option_fits(option, in_group))
			words[count++] = option->word;
	if (!in_group)
		words[count++] = CONFIG_SECTION_WORD;
	words[count] = NULL;
	return nearest_word(word, words);
}

void config_option_refuse(struct config_report *report, const char *word, bool in_group, int line)
{
	const char *nearest = nearest_to(word, in_group);
	char quoted[CONFIG_QUOTE_MAX];

	config_quote(word, quoted);
	if (in_group && strcmp(word, CONFIG_SECTION_WORD) == 0)
		config_error(report, line, "a group inside a group; close the one before with }");
	else if (in_group && is_known(word, false))
		config_error(report, line, "%s is for the whole host; write it outside the groups", quoted);
	else if (!in_group && is_known(word, true))
		config_error(report, line, "%s is for a group; write it inside of one", quoted);
	else if (nearest != NULL)
		config_error(report, line, "unknown word %s; did you mean \"%s\"?", quoted, nearest);
	else
		config_error(report, line, "unknown word %s; carpd.conf(5) lists the known ones", quoted);
}
