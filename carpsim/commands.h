/*
 * The words of the command line.  Each returns the program's exit status: 0, 1 if
 * a check has failed, 2 for a wrong request.
 */
#ifndef CARPSIM_COMMANDS_H
#define CARPSIM_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

int command_run(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_script(int argc, char **argv);
int command_check(int argc, char **argv);
int command_plan(int argc, char **argv);
int command_scale(int argc, char **argv);

/* Whole decimal numbers; false for anything else or outside the limits. */
bool option_number(const char *text, int64_t least, int64_t most, int64_t *ret_value);

#endif
