/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl_value.h - values of the daemon's answers, as ctl_show*.c need them
 */
#pragma once

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "user/util/text.h"

#define TEXT_MAX 512

/* "" where there is none. */
static inline const char *text_of(const json_t *object, const char *key, char buf[TEXT_MAX])
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? vmadj_escape(text, buf, TEXT_MAX) : "";
}

/* NAN where it is not known. */
static inline double number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static inline bool is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static inline void put_size(FILE *out, double bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;

	for (; bytes >= 1024 && unit < 4; unit++)
		bytes /= 1024;
	(void)fprintf(out, "%.*f %s", unit && bytes < 100 ? 1 : 0, bytes, units[unit]);
}
