/*
 * A plan as a picture: which part of the outages is over after how long.
 */
#ifndef CARPSIM_CHART_H
#define CARPSIM_CHART_H

#include <stdio.h>

#include "plan.h"

void chart_write(const struct plan *plan, const char *title, FILE *file);

#endif
