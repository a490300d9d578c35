/*
 * Memory that is there: a simulation that gets none has nothing sensible to do.
 */
#ifndef CARPSIM_MEMORY_H
#define CARPSIM_MEMORY_H

#include <stddef.h>

/* Zeroed; ends the program if there is none. */
void *memory_new(size_t count, size_t bytes);
void *memory_resize(void *block, size_t count, size_t bytes);
/* Bytes given out by memory_new so far. */
size_t memory_given(void);

#endif
