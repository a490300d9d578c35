#include "nearest.h"

#include <string.h>

#define WORD_MAX 31

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance, with two letters exchanged counted as one slip.  No word is longer than WORD_MAX.
 */
static size_t distance(const char *a, const char *b)
{
	size_t d[WORD_MAX + 1][WORD_MAX + 1];
	size_t a_length = strlen(a), b_length = strlen(b);

	for (size_t j = 0; j <= b_length; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		d[i][0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			d[i][j] = smaller(d[i - 1][j], d[i][j - 1]) + 1;
			d[i][j] = smaller(d[i][j], d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = smaller(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[a_length][b_length];
}

const char *nearest_word(const char *word, const char *const *words)
{
	const char *nearest = NULL;
	size_t least = WORD_MAX;
	size_t length = strlen(word);

	if (length > WORD_MAX)
		return NULL;
	for (; *words != NULL; words++) {
		size_t d = distance(word, *words);
		size_t longest = length > strlen(*words) ? length : strlen(*words);

		/* More than a third changed is another word: "track" is no slip for "grace". */
		if (d < least && 3 * d <= longest) {
			least = d;
			nearest = *words;
		}
	}
	return nearest;
}
