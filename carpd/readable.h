/*
 * Whether the service may read what root, who checks the configuration, can: the unit runs carpd as its user.
 */
#ifndef CARPD_READABLE_H
#define CARPD_READABLE_H

#include "carpd/config/config.h"

/* Warnings to errors; path is where config was read.  The process keeps the user's groups. */
void readable_check(const struct config *config, const char *path, FILE *errors);

#endif
