/*
 * Between the files of the engine.
 */
#ifndef CARPD_CORE_ENGINE_PRIVATE_H
#define CARPD_CORE_ENGINE_PRIVATE_H

#include "actions.h"
#include "engine.h"
#include "engine_send.h"

uint64_t engine_next_sequence(struct engine *engine, const struct node *node, instant now);
/* Which groups suffer when something fails on a parent; several scopes together are all. */
int engine_scope_of_parent(const struct engine *engine, size_t parent);
/* Groups whose sum of demotions has changed let the others know at once. */
void engine_spread_demotion(struct engine *engine, instant now);
/* The grace of a reload is over: from now on the new credentials only. */
void engine_end_grace(struct engine *engine, struct group *group);
/* When somebody of whom this was the last advert counts as gone, for what is told of him. */
instant engine_silent_at(const struct advert *last, instant heard);
/* After an event that may have brought a node's deadline forward. */
void engine_wake_for(struct engine *engine, const struct node *node);

#endif
