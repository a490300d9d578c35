/*
 * What goes wrong, done to the world.
 */
#ifndef CARPSIM_DISTURB_H
#define CARPSIM_DISTURB_H

#include "scenario.h"

struct world;

void disturb(struct world *world, const struct disturbance *disturbance);

#endif
