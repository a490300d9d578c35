/*
 * What every unit test includes: cmocka needs four headers before its own.
 */
#ifndef CARPD_TESTS_UNIT_H
#define CARPD_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/address_of.h"

/* Bytes as a reader writes them; a spelling mistake ends the test. */
size_t bytes_of(const char *hex, uint8_t *ret_bytes, size_t max);

/* RFC 1071 written a second time: 0xffff over data that includes a right checksum. */
uint16_t independent_sum(const uint8_t *data, size_t bytes);

#endif
