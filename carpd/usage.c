#include "usage.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "carpd/config/config_report.h"
#include "carpd/config/nearest.h"

#define OPTIONS_MAX 15

static const char *nearest_option(const struct option *options, const char *word)
{
	const char *names[OPTIONS_MAX + 1] = {NULL};

	for (size_t i = 0; i < OPTIONS_MAX && options[i].name != NULL; i++)
		names[i] = options[i].name;
	return nearest_word(word, names);
}

void usage_explain(const char *program, const struct option *options, int result, char **argv)
{
	const char letter[] = {'-', (char)optopt, '\0'};
	const char *word = argv[optind - 1], *nearest = NULL;
	bool has_value = strncmp(word, "--", 2) == 0 && strchr(word, '=') != NULL;
	char shown[CONFIG_QUOTE_MAX];

	/* A letter, of which several may stand in one word. */
	if (strncmp(word, "--", 2) != 0 || (optopt != 0 && result != ':' && !has_value))
		word = letter;
	else
		nearest = nearest_option(options, word + 2);
	config_quote(word, shown);
	if (result == ':')
		fprintf(stderr, "%s: %s needs a value\n", program, shown);
	else if (optopt != 0 && word != letter)
		fprintf(stderr, "%s: %s takes no value\n", program, shown);
	else if (nearest != NULL)
		fprintf(stderr, "%s: there is no %s; did you mean \"--%s\"?\n", program, shown, nearest);
	else
		fprintf(stderr, "%s: there is no %s; \"%s --help\" lists what there is\n", program, shown,
		        program);
}
