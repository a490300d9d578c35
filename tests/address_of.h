/*
 * Addresses in tests are written as people write them.
 */
#ifndef CARPD_TESTS_ADDRESS_OF_H
#define CARPD_TESTS_ADDRESS_OF_H

#include "core/address.h"

/* Of either family; a text that is no address ends the test. */
struct address address_of(const char *text);

#endif
