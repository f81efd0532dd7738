// SPDX-License-Identifier: GPL-2.0-only
/* line.c - lines out of a stream that comes in pieces, in a fixed room */
#include "user/guest/line.h"

#include <string.h>

/* With its end it must fit, too: a text that fills all the room is too long. */
static void append(struct vmadj_guest_line *line, const char *bytes, size_t n)
{
	if (line->skipping)
		return;
	if (n >= sizeof(line->text) - line->len) {
		line->skipping = true;
		line->n_too_long++;
		line->len = 0;
		return;
	}
	memcpy(line->text + line->len, bytes, n);
	line->len += n;
}

bool vmadj_guest_line_next(struct vmadj_guest_line *line, const char **at, const char *end)
{
	if (line->whole)
		line->len = 0;
	line->whole = false;
	while (*at < end) {
		const char *newline = memchr(*at, '\n', (size_t)(end - *at));

		append(line, *at, (size_t)((newline ? newline : end) - *at));
		*at = newline ? newline + 1 : end;
		if (newline && !line->skipping) {
			line->whole = true;
			return true;
		}
		if (newline)
			line->skipping = false;
	}
	return false;
}
