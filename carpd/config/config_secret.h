/*
 * Passphrases and keys, from files that nobody else may read or from the text.
 */
#ifndef CARPD_CONFIG_SECRET_H
#define CARPD_CONFIG_SECRET_H

#include <stdbool.h>

#include "config.h"
#include "config_read.h"
#include "config_report.h"

/* True if others can read or write the file behind stream; *ret_mode then has its permissions. */
bool config_secret_is_exposed(FILE *stream, unsigned int *ret_mode);

/* path is relative to the folder of the configuration. */
bool config_secret_read_passphrase(struct config_report *report, int line, const char *path,
                                   struct passphrase *ret_passphrase);
bool config_secret_take_passphrase(struct config_report *report, int line, const char *text,
                                   struct passphrase *ret_passphrase);
/* "1:/path" or "1:hex:0123..." */
bool config_secret_read_key(struct config_report *report, int line, const char *text,
                            struct config_key *ret_key);

#endif
