/*
 * Adverts on their way out: for the core only.
 */
#ifndef CARPD_CORE_ENGINE_SEND_H
#define CARPD_CORE_ENGINE_SEND_H

#include "types.h"

/* Fills in node->advert, which is sent next. */
void engine_prepare_advert(struct engine *engine, struct node *node, bool goodbye);
uint64_t engine_random(struct engine *engine);

#endif
