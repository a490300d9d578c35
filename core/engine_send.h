/*
 * Adverts on their way out: what the callers of the core do not need of it.
 */
#ifndef CARPD_CORE_ENGINE_SEND_H
#define CARPD_CORE_ENGINE_SEND_H

#include "types.h"

/* Fills in node->advert: terms, or that the sender goes, counter and digest of what is sent next. */
void engine_prepare_advert(struct engine *engine, struct node *node, bool goodbye);
uint64_t engine_random(struct engine *engine);

#endif
