// SPDX-License-Identifier: GPL-2.0-only
/* proc_text.c - figures out of the texts of /proc/meminfo, /proc/vmstat and /proc/pressure */
#include "user/util/proc_text.h"

#include <math.h>
#include <string.h>

#include "user/util/scan.h"

/* The next line's start; NULL: that was the last one. */
static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : NULL;
}

/* What follows @word at the start of @line; NULL: the line begins otherwise. */
static const char *behind(const char *line, const char *word)
{
	size_t len = strlen(word);

	return strncmp(line, word, len) == 0 ? line + len : NULL;
}

/* The number behind ":" or " " at @at. */
static bool number_at(const char *at, uint64_t *ret_value)
{
	uint64_t value;

	if (*at != ':' && *at != ' ')
		return false;
	at++;
	if (!vmadj_scan_u64(&at, &value) || !strchr(" \t\r\n", *at))
		return false;
	*ret_value = value;
	return true;
}

bool vmadj_proc_value(const char *text, const char *key, uint64_t *ret_value)
{
	for (const char *line = text; line; line = next_line(line)) {
		const char *at = behind(line, key);

		if (at && (*at == ':' || *at == ' '))
			return number_at(at, ret_value);
	}
	return false;
}

uint64_t vmadj_proc_sum(const char *text, const char *prefix)
{
	uint64_t sum = 0, value;
	bool any = false;

	for (const char *line = text; line; line = next_line(line)) {
		const char *at = behind(line, prefix);

		if (!at)
			continue;
		if (!number_at(at + strcspn(at, ": \n"), &value) ||
		    __builtin_add_overflow(sum, value, &sum))
			return UINT64_MAX;
		any = true;
	}
	return any ? sum : UINT64_MAX;
}

double vmadj_proc_psi_some(const char *text)
{
	for (const char *line = text; line; line = next_line(line)) {
		const char *at = behind(line, "some avg10=");
		double pct;

		if (at && strchr("0123456789", *at) && vmadj_scan_double(&at, &pct) && pct <= 100)
			return pct;
	}
	return NAN;
}
