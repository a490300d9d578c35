/*
 * A look over the text before libconfuse reads it.  libconfuse 3.3 takes what it
 * should not: a group or comment that is never closed, zero bytes, and the
 * environment's variables; and it counts lines wrong after a block comment.
 */
#ifndef CARPD_CONFIG_SCAN_H
#define CARPD_CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "config_report.h"

struct config_scan {
	int *block_lines; /* where each block on the top level opens: libconfuse forgets it */
	size_t block_count;
};

/* Turns comments into blanks.  False if the text cannot be read; the report then says why. */
bool config_scan_text(char *text, size_t length, struct config_report *report, struct config_scan *ret_scan);
void config_scan_free(struct config_scan *scan);

#endif
