/*
 * Reading carpd's answers: a member that is missing has a harmless stand-in, so
 * that carpctl and carpd of different versions get along.
 */
#ifndef CARPD_CARPCTL_ANSWER_H
#define CARPD_CARPCTL_ANSWER_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Replaces what could steer a terminal, in every string of the tree at once, so
 * that no printer can forget to: some texts carry what a stranger sent.
 * 0 or -ENOMEM.
 */
int answer_escape(json_t *tree);

/* The text of a list's item; "-" if it is none. */
const char *answer_item(const json_t *item);
const char *answer_text(const json_t *object, const char *name); /* "-" if it is missing or null */
json_int_t answer_integer(const json_t *object, const char *name);
double answer_seconds(const json_t *object, const char *name);
bool answer_is_true(const json_t *object, const char *name);
bool answer_is_null(const json_t *object, const char *name);

#endif
