/*
 * `carpd run`: one group from the command line, for a person who tries it out.
 */
#ifndef CARPD_RUN_H
#define CARPD_RUN_H

#include "carpd/config/config.h"

/*
 * Options become a configuration that goes through the same parser as a file.
 * *ret_config is NULL if there is nothing to run (help, or errors that have been
 * told); the result is then the exit status.
 */
int run_config(int argc, char **argv, struct config **ret_config);

#endif
