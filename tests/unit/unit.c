#include "unit.h"

#include <stdio.h>

size_t bytes_of(const char *hex, uint8_t *ret_bytes, size_t max)
{
	size_t count = strlen(hex) / 2;

	assert_true(count <= max);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(sscanf(hex + 2 * i, "%2hhx", &ret_bytes[i]), 1);
	return count;
}

uint16_t independent_sum(const uint8_t *data, size_t bytes)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < bytes; i++) {
		sum += i % 2 == 0 ? (uint32_t)data[i] * 256 : data[i];
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return (uint16_t)sum;
}
