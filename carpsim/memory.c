#include "memory.h"

#include <stdio.h>
#include <stdlib.h>

static size_t given;

static void *there(void *block)
{
	if (block == NULL) {
		fputs("carpsim: out of memory\n", stderr);
		exit(2);
	}
	return block;
}

void *memory_new(size_t count, size_t bytes)
{
	given += count * bytes;
	return there(calloc(count > 0 ? count : 1, bytes));
}

void *memory_resize(void *block, size_t count, size_t bytes)
{
	return there(realloc(block, count * bytes));
}

size_t memory_given(void)
{
	return given;
}
