/*
 * One group of a configuration: what its words mean.
 */
#ifndef CARPD_CONFIG_GROUP_H
#define CARPD_CONFIG_GROUP_H

#include <stdbool.h>

#include "config.h"
#include "config_read.h"
#include "config_report.h"

#define CONFIG_DAY_S 86400

struct config_parser {
	struct config_report report;
	struct config *config;
	struct config_group defaults; /* what a group starts from */
	bool is_exposed;              /* others can read the file itself */
	unsigned int mode;
	bool is_misspelt; /* what seems to be missing may be one of the unknown words */
};

/* What may stand in a group, or before all groups for each of them. */
void config_group_read_common(struct config_parser *p, cfg_t *section, struct config_group *group);

/* The next group, which begins in that line; there is room for it in the parser's configuration. */
void config_group_read(struct config_parser *p, cfg_t *section, int line);

#endif
