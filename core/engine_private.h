/*
 * Between the files of the engine.
 */
#ifndef CARPD_CORE_ENGINE_PRIVATE_H
#define CARPD_CORE_ENGINE_PRIVATE_H

#include "actions.h"
#include "engine.h"
#include "engine_send.h"

uint64_t engine_next_sequence(struct engine *engine, const struct node *node, instant now);
/* Which groups are demoted when something fails on a parent: if its groups have several scopes, all. */
int engine_scope_of_parent(const struct engine *engine, size_t parent);
/* Groups whose sum of demotions has changed advertise it at once. */
void engine_spread_demotion(struct engine *engine, instant now);
/* The grace of a reload is over: from now on the new credentials only. */
void engine_end_grace(struct engine *engine, struct group *group);
/* When a host whose last advert this was counts as gone, as far as reports of it go. */
instant engine_silent_at(const struct advert *last, instant heard);
/* To be called after an event that may have made a node's deadline earlier. */
void engine_wake_for(struct engine *engine, const struct node *node);

#endif
