/* SPDX-License-Identifier: GPL-2.0-only */
/* test_parse.c - numbers from text, all of it or nothing */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <math.h>

#include "user/util/parse.h"

TestSuite(parse, .timeout = 10);

struct number_case {
	char text[40];
	double min, max;
	int err;
	double value;
};

Test(parse, whole_numbers_are_read)
{
	uint64_t value = 7;

	cr_assert(eq(int, vmadj_parse_u64("0", 0, 10, &value), 0));
	cr_assert(eq(u64, value, 0));
	cr_assert(eq(int, vmadj_parse_u64("18446744073709551615", 0, UINT64_MAX, &value), 0));
	cr_assert(eq(u64, value, UINT64_MAX));
	cr_assert(eq(int, vmadj_parse_u64("007", 7, 7, &value), 0));
	cr_assert(eq(u64, value, 7));
}

ParameterizedTestParameters(parse, whole_number_is_refused)
{
	static struct number_case cases[] = {
		{ "", 0, 100, -EINVAL, 0 },
		{ "-1", 0, 100, -EINVAL, 0 },
		{ "+1", 0, 100, -EINVAL, 0 },
		{ " 1", 0, 100, -EINVAL, 0 },
		{ "1 ", 0, 100, -EINVAL, 0 },
		{ "0x10", 0, 100, -EINVAL, 0 },
		{ "1.0", 0, 100, -EINVAL, 0 },
		{ "ten", 0, 100, -EINVAL, 0 },
		{ "101", 0, 100, -ERANGE, 0 },
		{ "1", 2, 100, -ERANGE, 0 },
		{ "18446744073709551616", 0, 100, -ERANGE, 0 },
		{ "99999999999999999999999999999999999", 0, 100, -ERANGE, 0 },
	};

	return cr_make_param_array(struct number_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct number_case *c, parse, whole_number_is_refused)
{
	uint64_t value = 42;
	int err = vmadj_parse_u64(c->text, (uint64_t)c->min, (uint64_t)c->max, &value);

	cr_assert(eq(int, err, c->err), "\"%s\"", c->text);
	cr_assert(eq(u64, value, 42), "a failed call leaves the result alone");
}

ParameterizedTestParameters(parse, decimal_number)
{
	static struct number_case cases[] = {
		{ "0.1", 0.1, 3600, 0, 0.1 },
		{ "3600", 0.1, 3600, 0, 3600 },
		{ "1e2", 0, 1000, 0, 100 },
		{ "-2.5", -10, 10, 0, -2.5 },
		{ ".5", 0, 1, 0, 0.5 },
		{ "nan", 0, 1, -EINVAL, 0 },
		{ "inf", 0, 1e300, -EINVAL, 0 },
		{ "-inf", -1, 1, -EINVAL, 0 },
		{ "0x1p3", 0, 100, -EINVAL, 0 },
		{ " 1", 0, 100, -EINVAL, 0 },
		{ "1 ", 0, 100, -EINVAL, 0 },
		{ "", 0, 100, -EINVAL, 0 },
		{ "1.2.3", 0, 100, -EINVAL, 0 },
		{ "e5", 0, 100, -EINVAL, 0 },
		{ "1e999", 0, 1e300, -ERANGE, 0 },
		{ "1e9", 0.1, 3600, -ERANGE, 0 },
		{ "0", 0.1, 3600, -ERANGE, 0 },
		{ "-1", 0.1, 3600, -ERANGE, 0 },
	};

	return cr_make_param_array(struct number_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct number_case *c, parse, decimal_number)
{
	double value = 42;
	int err = vmadj_parse_double(c->text, c->min, c->max, &value);

	cr_assert(eq(int, err, c->err), "\"%s\"", c->text);
	cr_assert(ieee_ulp_eq(dbl, value, c->err ? 42 : c->value, 1), "\"%s\"", c->text);
}

ParameterizedTestParameters(parse, duration)
{
	static struct number_case cases[] = {
		{ "1", 0, 10, 0, 1 },
		{ "0.5s", 0, 10, 0, 0.5 },
		{ "500ms", 0, 10, 0, 0.5 },
		{ "2min", 0, 1000, 0, 120 },
		{ "1h", 0, 3600, 0, 3600 },
		{ "2h", 0, 3600, -ERANGE, 0 },
		{ "1ms", 0.1, 10, -ERANGE, 0 },
		{ "ms", 0, 10, -EINVAL, 0 },
		{ "1 s", 0, 10, -EINVAL, 0 },
		{ "1sec", 0, 10, -EINVAL, 0 },
		{ "nan", 0, 10, -EINVAL, 0 },
		{ "nans", 0, 10, -EINVAL, 0 },
		{ "", 0, 10, -EINVAL, 0 },
		{ "000000000000000000000000000000000001", 0, 10, -EINVAL, 0 },
	};

	return cr_make_param_array(struct number_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct number_case *c, parse, duration)
{
	double value = 42;
	int err = vmadj_parse_duration(c->text, c->min, c->max, &value);

	cr_assert(eq(int, err, c->err), "\"%s\"", c->text);
	cr_assert(ieee_ulp_eq(dbl, value, c->err ? 42 : c->value, 1), "\"%s\"", c->text);
}

ParameterizedTestParameters(parse, percent)
{
	static struct number_case cases[] = {
		{ "1", 0, 100, 0, 1 },
		{ "1%", 0, 100, 0, 1 },
		{ "0.001%", 0, 100, 0, 0.001 },
		{ "100%", 0, 100, 0, 100 },
		{ "100.1%", 0, 100, -ERANGE, 0 },
		{ "-1%", 0, 100, -ERANGE, 0 },
		{ "%", 0, 100, -EINVAL, 0 },
		{ "1 %", 0, 100, -EINVAL, 0 },
		{ "1%%", 0, 100, -EINVAL, 0 },
		{ "1s", 0, 100, -EINVAL, 0 },
		{ "", 0, 100, -EINVAL, 0 },
	};

	return cr_make_param_array(struct number_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct number_case *c, parse, percent)
{
	double value = 42;
	int err = vmadj_parse_percent(c->text, c->min, c->max, &value);

	cr_assert(eq(int, err, c->err), "\"%s\"", c->text);
	cr_assert(ieee_ulp_eq(dbl, value, c->err ? 42 : c->value, 1), "\"%s\"", c->text);
}

struct bytes_case {
	char text[32];
	uint64_t min, max;
	int err;
	uint64_t value;
};

ParameterizedTestParameters(parse, bytes)
{
	static struct bytes_case cases[] = {
		{ "0", 0, UINT64_MAX, 0, 0 },
		{ "4096", 0, UINT64_MAX, 0, 4096 },
		{ "64M", 0, UINT64_MAX, 0, 64ULL << 20 },
		{ "64MiB", 0, UINT64_MAX, 0, 64ULL << 20 },
		{ "1.5G", 0, UINT64_MAX, 0, 3ULL << 29 },
		{ "2T", 0, UINT64_MAX, 0, 2ULL << 40 },
		{ "1K", 2048, UINT64_MAX, -ERANGE, 0 },
		{ "1G", 0, 1 << 20, -ERANGE, 0 },
		{ "99999999999T", 0, UINT64_MAX, -ERANGE, 0 },
		{ "-1", 0, UINT64_MAX, -ERANGE, 0 },
		{ "64m", 0, UINT64_MAX, -EINVAL, 0 },
		{ "64MB", 0, UINT64_MAX, -EINVAL, 0 },
		{ "M", 0, UINT64_MAX, -EINVAL, 0 },
		{ "", 0, UINT64_MAX, -EINVAL, 0 },
		{ "1 G", 0, UINT64_MAX, -EINVAL, 0 },
	};

	return cr_make_param_array(struct bytes_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct bytes_case *c, parse, bytes)
{
	uint64_t value = 42;
	int err = vmadj_parse_bytes(c->text, c->min, c->max, &value);

	cr_assert(eq(int, err, c->err), "\"%s\"", c->text);
	cr_assert(eq(u64, value, c->err ? 42 : c->value), "\"%s\"", c->text);
}
