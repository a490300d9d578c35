/*
 * The options that there are, and what is said of a word that is none.
 */
#ifndef CARPD_CONFIG_OPTION_H
#define CARPD_CONFIG_OPTION_H

#include <stdbool.h>

#include "config_report.h"

/* The word that begins a group. */
#define CONFIG_SECTION_WORD "group"

#define CONFIG_OPTIONS_MAX 32

struct config_option {
	const char *word;
	bool for_host; /* outside the groups; what may stand inside too is for all of them */
	bool for_group;
	bool is_list;
};

/* Ends with a word of NULL. */
extern const struct config_option config_options[];

/* Whether it may stand there. */
bool config_option_fits(const struct config_option *option, bool in_group);

/* What is wrong with word at its place, and which one was probably meant. */
void config_option_refuse(struct config_report *report, const char *word, bool in_group, int line);

#endif
