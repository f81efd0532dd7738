/* SPDX-License-Identifier: GPL-2.0-only */
/* suggest.c - guess which word was meant by one that does not exist */
#include "user/util/suggest.h"

#include <string.h>

#define WORD_MAX 32

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* How many letters must be put in, taken out or changed to make @b of @a. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1];
	size_t len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t above = row[j];

			row[j] =
				least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[len];
}

const char *vmadj_suggest(const char *typed, const char *const *words)
{
	size_t len = strlen(typed);
	size_t best = len / 3 + 2; /* farther away is another word, not a slip */
	const char *meant = NULL;

	if (len == 0 || len > WORD_MAX)
		return NULL;
	for (; *words; words++) {
		size_t d;

		if (strlen(*words) > WORD_MAX)
			continue;
		d = len >= 2 && strncmp(*words, typed, len) == 0 ? 0 : distance(typed, *words);
		/* All letters of one being wrong makes them no neighbours. */
		if (d < best && d < strlen(*words) && d < len) {
			best = d;
			meant = *words;
		}
	}
	return meant;
}
