/* SPDX-License-Identifier: GPL-2.0-only */
/* wrap.c - prose in lines that fit a terminal */
#include "user/util/wrap.h"

#include <string.h>

void vmadj_print_wrapped(FILE *out, const char *text, int column, int at)
{
	int gap = column > at ? column - at : at > 0;

	(void)fprintf(out, "%*s", gap, "");
	at += gap;
	while (*text) {
		int len = (int)strcspn(text, " ");

		if (at + len > VMADJ_WRAP_WIDTH && at > column) {
			(void)fprintf(out, "\n%*s", column, "");
			at = column;
		}
		(void)fprintf(out, "%.*s", len, text);
		at += len + 1;
		text += len;
		text += strspn(text, " ");
		if (*text && at + (int)strcspn(text, " ") <= VMADJ_WRAP_WIDTH)
			(void)fputc(' ', out);
	}
	(void)fputc('\n', out);
}
