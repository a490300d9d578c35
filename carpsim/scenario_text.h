/*
 * Scenarios as text, a word and its values a line.
 */
#ifndef CARPSIM_SCENARIO_TEXT_H
#define CARPSIM_SCENARIO_TEXT_H

#include "scenario.h"

#define DISTURBANCE_TEXT_MAX 80

void scenario_print_disturbance(const struct disturbance *disturbance, char ret_text[DISTURBANCE_TEXT_MAX]);

#endif
