// SPDX-License-Identifier: GPL-2.0-only
/* scan.c - walk through a text of the kernel's, number by number */
#include "user/util/scan.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

static bool scan_integer(const char **at, int base, uint64_t *ret_value)
{
	const char *from = skip_blanks(*at);
	unsigned long long value;
	char *end;

	/* strtoull() takes signs, we do not. */
	if (!isxdigit((unsigned char)*from))
		return false;
	errno = 0;
	value = strtoull(from, &end, base);
	if (end == from || errno)
		return false;
	*at = end;
	*ret_value = value;
	return true;
}

bool vmadj_scan_u64(const char **at, uint64_t *ret_value)
{
	return scan_integer(at, 10, ret_value);
}

bool vmadj_scan_hex(const char **at, uint64_t *ret_value)
{
	return scan_integer(at, 16, ret_value);
}

bool vmadj_scan_double(const char **at, double *ret_value)
{
	const char *from = skip_blanks(*at);
	double value;
	char *end;

	errno = 0;
	value = strtod(from, &end);
	if (end == from || errno || !isfinite(value))
		return false;
	*at = end;
	*ret_value = value;
	return true;
}

const char *vmadj_scan_after(const char *text, const char *key)
{
	const char *found = strstr(text, key);

	return found ? found + strlen(key) : NULL;
}
