/*
 * One value of a file at a time: numbers, names, choices and addresses.  Each
 * writes its result only if the option is there and right; what is wrong is reported.
 */
#ifndef CARPD_CONFIG_VALUE_H
#define CARPD_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/address.h"
#include "config_read.h"
#include "config_report.h"

struct config_range {
	int least, most;
	const char *remark; /* behind the limits in a message */
};

void config_value_number(struct config_report *report, cfg_t *section, const char *option,
                         struct config_range range, int *ret_number);
void config_value_byte(struct config_report *report, cfg_t *section, const char *option,
                       struct config_range range, uint8_t *ret_number);
void config_value_bool(struct config_report *report, cfg_t *section, const char *option, bool *ret_bool);
/* The index of the value in a NULL-terminated list of choices. */
void config_value_choice(struct config_report *report, cfg_t *section, const char *option,
                         const char *const *choices, int *ret_index);
/* Of letters, digits, _ . and -, shorter than room. */
void config_value_name(struct config_report *report, cfg_t *section, const char *option, size_t room,
                       char *ret_name);
/* An absolute path, shorter than room. */
void config_value_path(struct config_report *report, cfg_t *section, const char *option, size_t room,
                       char *ret_path);

/* A host's address, with a prefix length where ret_prefix_length is not NULL. */
bool config_value_address(struct config_report *report, const struct config_word *word,
                          struct address *ret_address, uint8_t *ret_prefix_length);

#endif
