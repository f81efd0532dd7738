/* SPDX-License-Identifier: GPL-2.0-only */
/* parse.c - numbers from text, all of it or nothing */
#include "user/util/parse.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX_LEN 32

struct unit {
	const char *suffix;
	double times;
};

/* A suffix before one that it ends with. */
static const struct unit duration_units[] = {
	{ "ms", 0.001 }, { "s", 1 }, { "min", 60 }, { "h", 3600 }, { NULL, 0 },
};

static const struct unit percent_units[] = { { "%", 1 }, { NULL, 0 } };

static const struct unit byte_units[] = {
	{ "KiB", 0x1p10 }, { "MiB", 0x1p20 }, { "GiB", 0x1p30 }, { "TiB", 0x1p40 }, { "K", 0x1p10 },
	{ "M", 0x1p20 },   { "G", 0x1p30 },   { "T", 0x1p40 },	 { NULL, 0 },
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

/* The number in front of one of @units, or alone, times what that unit stands for. */
static int parse_with_unit(const char *text, const struct unit *unit, double *ret_value)
{
	char number[NUMBER_MAX_LEN];
	size_t len = strlen(text);
	double value;
	int err;

	for (; unit->suffix; unit++) {
		size_t n = strlen(unit->suffix);

		if (len > n && strcmp(text + len - n, unit->suffix) == 0) {
			len -= n;
			break;
		}
	}
	if (len >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, len);
	number[len] = '\0';
	err = vmadj_parse_double(number, -HUGE_VAL, HUGE_VAL, &value);
	if (err)
		return err;
	*ret_value = unit->suffix ? value * unit->times : value;
	return 0;
}

static int parse_within(const char *text, const struct unit *units, double min, double max,
			double *ret_value)
{
	double value;
	int err = parse_with_unit(text, units, &value);

	if (err)
		return err;
	if (value < min || value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int vmadj_parse_duration(const char *text, double min_s, double max_s, double *ret_s)
{
	return parse_within(text, duration_units, min_s, max_s, ret_s);
}

int vmadj_parse_percent(const char *text, double min, double max, double *ret_pct)
{
	return parse_within(text, percent_units, min, max, ret_pct);
}

int vmadj_parse_bytes(const char *text, uint64_t min, uint64_t max, uint64_t *ret_bytes)
{
	double value;
	int err = parse_with_unit(text, byte_units, &value);

	if (err)
		return err;
	if (value < 0 || value >= 0x1p63 || (uint64_t)value < min || (uint64_t)value > max)
		return -ERANGE;
	*ret_bytes = (uint64_t)value;
	return 0;
}
