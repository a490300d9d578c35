/*
 * What is wrong with an option of the command line.
 */
#ifndef CARPD_USAGE_H
#define CARPD_USAGE_H

#include <getopt.h>

/*
 * For the '?' or ':' that getopt_long has returned, with opterr 0 and a colon
 * before the letters: one line on standard error, with the nearest option there is.
 */
void usage_explain(const char *program, const struct option *options, int result, char **argv);

#endif
