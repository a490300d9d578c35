/*
 * The list of what is to be done, in the order in which it was decided.
 */
#ifndef CARPD_CORE_ACTIONS_H
#define CARPD_CORE_ACTIONS_H

#include "types.h"

/* An advert is filled in here, so that it says what was so when it was decided. */
void actions_add(struct engine *engine, enum action_kind kind, struct group *group, struct node *node);
/* For the log. */
void actions_tell(struct engine *engine, struct group *group, struct node *node, const struct report *report);

#endif
