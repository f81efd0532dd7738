// SPDX-License-Identifier: GPL-2.0-only
/* words.c - a command line as /proc shows it */
#include "tests/lib/words.h"

#include <stdlib.h>
#include <string.h>

char *vmadj_words(const char *text, size_t *ret_len)
{
	size_t len = strlen(text);
	char *words = malloc(len + 2);

	if (!words)
		abort();
	memcpy(words, text, len + 1);
	words[len + 1] = '\0';
	for (size_t i = 0; i < len; i++) {
		if (words[i] == ' ')
			words[i] = '\0';
	}
	/* Nothing at all has no last word either. */
	*ret_len = len ? len + 1 : 0;
	return words;
}
