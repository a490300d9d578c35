/*
 * The right to serve this network namespace, which one carpd at a time has.
 */
#ifndef CARPD_SINGLETON_H
#define CARPD_SINGLETON_H

#include <stdbool.h>

/*
 * False, and the log says why, without the capabilities or beside another carpd.
 * The claim ends with the process and those it has forked.
 */
bool singleton_claim(void);

#endif
