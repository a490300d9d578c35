/*
 * A network namespace of the test's own, and the tools of iproute2 in it.
 */
#ifndef CARPD_TESTS_LINUX_NETWORK_H
#define CARPD_TESTS_LINUX_NETWORK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/address_of.h"

/* For cmocka's group set-up: ends the program with 77, "skipped", without the rights. */
int network_enter(void **state);

/* Runs a shell command, which must succeed. */
void network_run(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Whether text is in the command's output. */
bool network_shows(const char *command, const char *text);

int network_index(const char *link);
struct mac network_mac(const char *link);

/* For loops that wait for a condition: ends the test when they have waited for five seconds. */
struct patience {
	double end;
};
struct patience network_patience(void);
void network_wait(struct patience patience, int fd);

#endif
