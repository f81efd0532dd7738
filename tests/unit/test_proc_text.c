/* SPDX-License-Identifier: GPL-2.0-only */
/* test_proc_text.c - figures out of the texts of /proc, some of which a guest has written */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <math.h>

#include "user/util/proc_text.h"

#define MEMINFO                         \
	"MemTotal:         230500 kB\n" \
	"MemFree:          101320 kB\n" \
	"Active:            40000 kB\n" \
	"Active(file):      39000 kB\n" \
	"Committed_AS:      52000 kB\n" \
	"DirectMap2M:           0 kB\n"
#define VMSTAT                    \
	"nr_free_pages 25330\n"   \
	"allocstall_dma 1\n"      \
	"allocstall_dma32 20\n"   \
	"allocstall_normal 300\n" \
	"pgpgin 4711\n"           \
	"oom_kill 3\n"
#define PRESSURE                                                 \
	"some avg10=1.53 avg60=0.87 avg300=0.22 total=1280375\n" \
	"full avg10=9.99 avg60=0.00 avg300=0.00 total=1\n"

TestSuite(proc_text, .timeout = 10);

Test(proc_text, keys_are_found_with_a_colon_and_with_a_blank)
{
	uint64_t value = 7;

	cr_assert(vmadj_proc_value(MEMINFO, "MemTotal", &value));
	cr_assert(eq(u64, value, 230500));
	cr_assert(vmadj_proc_value(MEMINFO, "DirectMap2M", &value));
	cr_assert(eq(u64, value, 0));
	cr_assert(vmadj_proc_value(VMSTAT, "nr_free_pages", &value));
	cr_assert(eq(u64, value, 25330));
	cr_assert(vmadj_proc_value(VMSTAT, "oom_kill", &value));
	cr_assert(eq(u64, value, 3));
}

Test(proc_text, a_key_is_the_whole_key_at_the_start_of_its_line)
{
	uint64_t value = 7;

	cr_assert(vmadj_proc_value(MEMINFO, "Active(file)", &value));
	cr_assert(eq(u64, value, 39000));
	cr_assert(vmadj_proc_value(MEMINFO, "Active", &value));
	cr_assert(eq(u64, value, 40000));
	value = 7;
	cr_assert(not(vmadj_proc_value(MEMINFO, "Mem", &value)));
	cr_assert(not(vmadj_proc_value(MEMINFO, "Total", &value)));
	cr_assert(not(vmadj_proc_value(VMSTAT, "free_pages", &value)));
	cr_assert(eq(u64, value, 7), "a failed call leaves the result alone");
}

struct value_case {
	char text[64];
	bool there;
	uint64_t value;
};

ParameterizedTestParameters(proc_text, hostile_value)
{
	static struct value_case cases[] = {
		{ "key 12", true, 12 },
		{ "key:12", true, 12 },
		{ "key:\t12 kB\r\n", true, 12 },
		{ "x\n\nkey 12\nkey 13\n", true, 12 },
		{ "key 18446744073709551615\n", true, UINT64_MAX },
		{ "key 18446744073709551616\n", false, 0 },
		{ "key 99999999999999999999999999999999999\n", false, 0 },
		{ "key -12\n", false, 0 },
		{ "key +12\n", false, 0 },
		{ "key: -1\nkey: 5\n", false, 0 },
		{ "key 0x12\n", false, 0 },
		{ "key 12e3\n", false, 0 },
		{ "key 1.5\n", false, 0 },
		{ "key abc\n", false, 0 },
		{ "key\n12\n", false, 0 },
		{ "key \n12\n", false, 0 },
		{ "key:", false, 0 },
		{ "key", false, 0 },
		{ "ke", false, 0 },
		{ "", false, 0 },
		{ "\n\n\n", false, 0 },
		{ " key 12\n", false, 0 },
		{ "key\xff 12\n", false, 0 },
	};

	return cr_make_param_array(struct value_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct value_case *c, proc_text, hostile_value)
{
	uint64_t value = 0;

	cr_assert(eq(int, vmadj_proc_value(c->text, "key", &value), c->there), "%s", c->text);
	cr_assert(eq(u64, value, c->value), "%s", c->text);
}

Test(proc_text, lines_with_a_prefix_are_added_up)
{
	cr_assert(eq(u64, vmadj_proc_sum(VMSTAT, "allocstall_"), 321));
	cr_assert(eq(u64, vmadj_proc_sum("allocstall_a 5", "allocstall_"), 5));
	cr_assert(eq(u64, vmadj_proc_sum("a_1 0\n", "a_"), 0));
}

Test(proc_text, a_sum_that_is_not_one_is_unknown)
{
	cr_assert(eq(u64, vmadj_proc_sum(VMSTAT, "nothing_"), UINT64_MAX));
	cr_assert(eq(u64, vmadj_proc_sum("", "a_"), UINT64_MAX));
	cr_assert(eq(u64, vmadj_proc_sum("a_1 5\na_2 -1\n", "a_"), UINT64_MAX));
	cr_assert(eq(u64, vmadj_proc_sum("a_1 5\na_2\n7\n", "a_"), UINT64_MAX));
	cr_assert(eq(u64, vmadj_proc_sum("a_1 18446744073709551615\na_2 2\n", "a_"), UINT64_MAX));
	cr_assert(eq(u64, vmadj_proc_sum("a_1 18446744073709551616\n", "a_"), UINT64_MAX));
}

Test(proc_text, pressure_is_that_of_the_some_line)
{
	cr_assert(epsilon_eq(dbl, vmadj_proc_psi_some(PRESSURE), 1.53, 1e-9));
	cr_assert(epsilon_eq(dbl, vmadj_proc_psi_some("some avg10=0.00"), 0.0, 1e-9));
}

ParameterizedTestParameters(proc_text, hostile_pressure)
{
	static struct value_case cases[] = {
		{ .text = "" },
		{ .text = "full avg10=1.00 avg60=1.00\n" },
		{ .text = "some avg60=1.00\n" },
		{ .text = "some avg10=\n" },
		{ .text = "some avg10=-1.0\n" },
		{ .text = "some avg10=nan\n" },
		{ .text = "some avg10=inf\n" },
		{ .text = "some avg10=1e300\n" },
		{ .text = "some avg10=100.01\n" },
		{ .text = "some avg10=" },
		{ .text = "awesome avg10=1.0\n" },
	};

	return cr_make_param_array(struct value_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct value_case *c, proc_text, hostile_pressure)
{
	cr_assert(isnan(vmadj_proc_psi_some(c->text)), "%s", c->text);
}
