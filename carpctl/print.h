/*
 * Answers as text for a person; the trees have been through answer_escape().
 */
#ifndef CARPD_CARPCTL_PRINT_H
#define CARPD_CARPCTL_PRINT_H

#include <jansson.h>

#include "carpctl/text_out.h"

void print_status(struct terminal terminal, const json_t *status);
void print_show(struct terminal terminal, const json_t *status, const json_t *group);
void print_log(struct terminal terminal, const json_t *entries);

/* The first line of both: host, health, what demotes it, how long it has been up. */
void print_headline(struct terminal terminal, const json_t *status);

#endif
