/*
 * `carpd -n`: what on this host would keep the configuration from working, said before it is served.
 */
#ifndef CARPD_PREVIEW_H
#define CARPD_PREVIEW_H

#include "carpd/config/config.h"

/* Warnings to errors, in the form of config_parse.  path is where config, which is freed, was read. */
void preview_print(struct config *config, const char *path, FILE *errors);

#endif
