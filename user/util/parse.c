/* SPDX-License-Identifier: GPL-2.0-only */
/* parse.c - numbers from text, all of it or nothing */
#include "user/util/parse.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DURATION_MAX_LEN 32

struct duration_unit {
	const char *suffix;
	double seconds;
};

/* "ms" before "s", which it ends with. */
static const struct duration_unit duration_units[] = {
	{ "ms", 0.001 },
	{ "s", 1 },
	{ "min", 60 },
	{ "h", 3600 },
};

int vmadj_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
		return -EINVAL;
	for (; *text; text++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return -ERANGE;
	}
	if (value < min || value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int vmadj_parse_double(const char *text, double min, double max, double *ret_value)
{
	char *end;
	double value;

	/* strtod() would take white space, "nan", "inf" and hexadecimal, too. */
	if (*text == '\0' || text[strspn(text, "0123456789.eE+-")] != '\0')
		return -EINVAL;
	value = strtod(text, &end);
	if (end == text || *end != '\0')
		return -EINVAL;
	if (!isfinite(value) || value < min || value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

static const struct duration_unit *find_unit(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(duration_units) / sizeof(duration_units[0]); i++) {
		size_t n = strlen(duration_units[i].suffix);

		if (len > n && strcmp(text + len - n, duration_units[i].suffix) == 0)
			return &duration_units[i];
	}
	return NULL;
}

int vmadj_parse_duration(const char *text, double min_s, double max_s, double *ret_s)
{
	const struct duration_unit *unit;
	char number[DURATION_MAX_LEN];
	size_t len = strlen(text);
	double value;
	int err;

	unit = find_unit(text, len);
	if (unit)
		len -= strlen(unit->suffix);
	if (len >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, len);
	number[len] = '\0';
	err = vmadj_parse_double(number, -HUGE_VAL, HUGE_VAL, &value);
	if (err)
		return err;
	value *= unit ? unit->seconds : 1;
	if (value < min_s || value > max_s)
		return -ERANGE;
	*ret_s = value;
	return 0;
}
