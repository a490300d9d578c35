/*
 * The parts of a status: status.c tells of all groups, status_problem.c what is wrong with one,
 * status_detail.c what else there is to know of it, status_value.c in which form.
 */
#ifndef CARPD_STATUS_PRIVATE_H
#define CARPD_STATUS_PRIVATE_H

#include <jansson.h>

#include "carpd/engine/daemon.h"

double status_seconds(int64_t span_ns);
double status_since_s(const struct daemon *daemon, instant then);
json_t *status_time(const struct daemon *daemon, instant at);
/* JSON null if there is none. */
json_t *status_address(const struct address *address);

/* Sentences, most of which say what to do about it: what makes a group unhealthy, and what is good to know.
 */
void status_find(const struct daemon *daemon, const struct group *group, json_t **ret_problems,
                 json_t **ret_notes);
json_t *status_detail(const struct daemon *daemon, const struct group *group);

#endif
