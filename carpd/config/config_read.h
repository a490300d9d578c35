/*
 * The text as libconfuse's tree of words: what they mean is not looked at here.
 */
#ifndef CARPD_CONFIG_READ_H
#define CARPD_CONFIG_READ_H

#include <confuse.h>
#include <stdbool.h>
#include <stdio.h>

#include "config_report.h"
#include "config_scan.h"

struct config_word {
	int line;
	bool repeated; /* the option had been given before */
	char text[];
};

struct config_tree {
	cfg_t *root;
	struct config_scan scan;
};

/* False if the file cannot be understood at all.  Unknown words are reported, the rest is there. */
bool config_read(FILE *file, struct config_report *report, struct config_tree *ret_tree);
void config_read_free(struct config_tree *tree);

/* NULL if there is none. */
const struct config_word *config_read_word(cfg_t *section, const char *option, unsigned int index);

#endif
