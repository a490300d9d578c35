/*
 * What can be wrong between the values of a group, and between groups.
 */
#ifndef CARPD_CONFIG_CHECK_H
#define CARPD_CONFIG_CHECK_H

#include "config.h"
#include "config_read.h"
#include "config_report.h"

/* The last group of config, just read from section, by itself and against those before it. */
void config_check_group(struct config_report *report, const struct config *config, cfg_t *section);

/* All groups together, against the room that the gate has. */
void config_check_gate(struct config_report *report, const struct config *config);

/* The address with that value in a sorted list, or NULL. */
const struct shared_address *config_check_find(const struct config_group *group,
                                               const struct address *address);

#endif
