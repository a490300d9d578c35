/*
 * What a misspelt word was probably meant to be.
 */
#ifndef CARPD_NEAREST_H
#define CARPD_NEAREST_H

/* One of a NULL-terminated list, or NULL. */
const char *nearest_word(const char *word, const char *const *words);

#endif
