// SPDX-License-Identifier: GPL-2.0-only
/* test_bench_overhead.c - what `bench overhead` makes of its figures, and how it shows them */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>

#include "user/bench/kmod.h"
#include "user/cmd/bench.h"

static struct vmadj_overhead overhead;
static struct vmadj_bench_result result;
static char *text;
static size_t len;

/* @n values, @above of them 2, the others 1. */
static struct vmadj_bench_series coins(size_t n, size_t above)
{
	struct vmadj_bench_series series = { 0 };

	for (size_t i = 0; i < n; i++)
		vmadj_bench_series_add(&series, i < above ? 2 : 1);
	return series;
}

/* Values @middle - 2 @step to @middle + 2 @step, each four times. */
static struct vmadj_bench_series around(double middle, double step)
{
	struct vmadj_bench_series series = { 0 };

	for (int i = 0; i < 20; i++)
		vmadj_bench_series_add(&series, middle + (i % 5 - 2) * step);
	return series;
}

static void set_up(void)
{
	overhead = (struct vmadj_overhead){
		.n = 4,
		.row = {
			{ .id = "stats", .what = "switch: VM <-> VM", .unit = "ns",
			  .values = around(75.04, 1), .off_ns = NAN, .on_ns = NAN },
			{ .id = "low", .what = "ping-pong: low", .unit = "ratio", .bar = 1.02,
			  .values = around(1.01, 0.001), .off_ns = 900, .on_ns = 909 },
			{ .id = "high", .what = "ping-pong: high", .unit = "ratio", .bar = 1.005,
			  .values = around(1.006, 0.002), .off_ns = 900, .on_ns = 909 },
			{ .id = "gone", .what = "ping-pong: gone", .unit = "ratio",
			  .off_ns = NAN, .on_ns = NAN, .why = "it does not load: \"x\"" },
		},
	};
	result = (struct vmadj_bench_result){
		.overhead = &overhead,
		.kernel = "6.1.0",
		.cpus = 2,
		.cpu = 1,
		.pairs = 20,
		.others = -1,
	};
	text = NULL;
}

static void tear_down(void)
{
	free(text);
}

TestSuite(bench_overhead, .timeout = 10, .init = set_up, .fini = tear_down);

Test(bench_overhead, a_series_has_its_median_and_quartiles)
{
	struct vmadj_bench_series series = { 4, { 4, 1, 3, 2 } }, none = { 0 };

	cr_expect(epsilon_eq(dbl, vmadj_bench_series_at(&series, 0.5), 2.5, 1e-9));
	cr_expect(epsilon_eq(dbl, vmadj_bench_series_at(&series, 0.25), 1.75, 1e-9));
	cr_expect(epsilon_eq(dbl, vmadj_bench_series_at(&series, 0), 1, 0));
	cr_expect(epsilon_eq(dbl, vmadj_bench_series_at(&series, 1), 4, 0));
	cr_expect(isnan(vmadj_bench_series_at(&none, 0.5)));
}

Test(bench_overhead, a_series_that_is_full_stays_as_it_is)
{
	struct vmadj_bench_series series = coins(VMADJ_BENCH_SERIES_MAX, 0);

	vmadj_bench_series_add(&series, 5);
	cr_expect(eq(sz, series.n, VMADJ_BENCH_SERIES_MAX));
	cr_expect(epsilon_eq(dbl, vmadj_bench_series_at(&series, 1), 1, 0));
}

/* The limits of the sign test at 5 %, two-sided, as its tables have them. */
Test(bench_overhead, chance_is_told_by_the_sign_test)
{
	static const struct {
		size_t n, most;
	} table[] = { { 6, 0 }, { 9, 1 }, { 12, 2 }, { 20, 5 }, { 50, 17 }, { 100, 39 } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t n = table[i].n, most = table[i].most;
		struct vmadj_bench_series sure = coins(n, most), over = coins(n, n - most),
					  unsure = coins(n, most + 1);

		cr_expect(vmadj_bench_series_sure(&sure, 1.5), "%zu of %zu", most, n);
		cr_expect(vmadj_bench_series_sure(&over, 1.5), "%zu of %zu", n - most, n);
		cr_expect(not(vmadj_bench_series_sure(&unsure, 1.5)), "%zu of %zu", most + 1, n);
	}
}

Test(bench_overhead, what_lies_on_the_bar_lies_below_it)
{
	struct vmadj_bench_series few_above = coins(20, 5), some_above = coins(20, 6);

	cr_expect(vmadj_bench_series_sure(&few_above, 1));
	cr_expect(not(vmadj_bench_series_sure(&some_above, 1)));
}

Test(bench_overhead, few_values_prove_nothing)
{
	for (size_t n = 0; n < VMADJ_OVERHEAD_PAIRS_LEAST; n++) {
		struct vmadj_bench_series series = coins(n, 0);

		cr_expect(not(vmadj_bench_series_sure(&series, 1.5)), "%zu", n);
	}
}

Test(bench_overhead, a_bar_holds_up_to_its_own_value)
{
	cr_expect(vmadj_overhead_holds(&overhead.row[1]));
	cr_expect(vmadj_overhead_sure(&overhead.row[1]));
	cr_expect(not(vmadj_overhead_holds(&overhead.row[2])));
	overhead.row[1].values = coins(3, 3);
	overhead.row[1].bar = 2;
	cr_expect(vmadj_overhead_holds(&overhead.row[1]));
}

Test(bench_overhead, pairs_that_differ_tell_of_a_host_that_is_busy)
{
	cr_expect(vmadj_overhead_quiet(&overhead));
	/* What is shown wanders, and nobody minds. */
	overhead.row[0].values = around(75, 30);
	cr_expect(vmadj_overhead_quiet(&overhead));
	overhead.row[1].values = around(1.01, 0.011);
	cr_expect(not(vmadj_overhead_quiet(&overhead)));
}

Test(bench_overhead, the_table_is_aligned)
{
	cr_assert(zero(int, vmadj_bench_to_text(&result, false, 0, &text, &len)));
	cr_assert(eq(str, text,
		     "kernel 6.1.0   2 CPUs, CPU 1 loaded   20 pairs\n"
		     "\n"
		     "WHAT                MEDIAN     QUARTILES    NS A SWITCH  AT MOST\n"
		     "switch: VM <-> VM  75.0 ns    74.0..76.0\n"
		     "ping-pong: low       1.010  1.009..1.011  909.0 / 900.0    1.020  holds\n"
		     "ping-pong: high      1.006  1.004..1.008  909.0 / 900.0    1.005  "
		     "does not hold (not sure)\n"
		     "ping-pong: gone          -                                        "
		     "not measured\n"
		     "  it does not load: \"x\"\n"));
}

Test(bench_overhead, columns_leave_a_narrow_terminal)
{
	cr_assert(zero(int, vmadj_bench_to_text(&result, false, 80, &text, &len)));
	cr_expect(eq(ptr, strstr(text, "NS A SWITCH"), NULL));
	cr_expect(ne(ptr, strstr(text, "QUARTILES"), NULL));
	free(text);
	cr_assert(zero(int, vmadj_bench_to_text(&result, false, 40, &text, &len)));
	cr_expect(ne(ptr, strstr(text, "ping-pong: low       1.010  holds\n"), NULL), "%s", text);
}

Test(bench_overhead, colours_are_used_when_asked_for)
{
	cr_assert(zero(int, vmadj_bench_to_text(&result, true, 0, &text, &len)));
	cr_expect(ne(ptr, strstr(text, "\033[32mholds\033[0m\n"), NULL));
	cr_expect(ne(ptr, strstr(text, "\033[33mdoes not hold (not sure)\033[0m\n"), NULL));
	free(text);
	overhead.row[2].bar = 1.001;
	cr_assert(zero(int, vmadj_bench_to_text(&result, true, 0, &text, &len)));
	cr_expect(ne(ptr, strstr(text, "\033[1;31mdoes not hold\033[0m\n"), NULL));
}

Test(bench_overhead, markdown_is_a_table_and_nothing_else)
{
	cr_assert(zero(int, vmadj_bench_to_markdown(&result, &text, &len)));
	cr_assert(eq(str, text,
		     "| what | median | quartiles | ns a switch | at most |  |\n"
		     "|---|---:|---:|---:|---:|---|\n"
		     "| switch: VM <-> VM | 75.0 ns | 74.0..76.0 |  |  |  |\n"
		     "| ping-pong: low | 1.010 | 1.009..1.011 | 909.0 / 900.0 | 1.020 | holds |\n"
		     "| ping-pong: high | 1.006 | 1.004..1.008 | 909.0 / 900.0 | 1.005 | "
		     "does not hold (not sure) |\n"
		     "| ping-pong: gone | - |  |  |  | not measured |\n"));
}

static json_t *to_json(void)
{
	json_error_t error;
	json_t *json;

	cr_assert(zero(int, vmadj_bench_to_json(&result, &text, &len)));
	cr_assert(eq(ptr, memchr(text, '\n', len), text + len - 1));
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	cr_assert(ne(ptr, json, NULL), "%s", error.text);
	return json;
}

Test(bench_overhead, json_is_one_line_with_every_key)
{
	json_t *json = to_json(), *rows = json_object_get(json, "rows"), *row;

	cr_expect(eq(sz, json_object_size(json), 9));
	cr_expect(eq(llong, json_integer_value(json_object_get(json, "schema")), 1));
	cr_expect(eq(int, json_typeof(json_object_get(json, "others")), JSON_NULL));
	cr_expect(eq(int, json_typeof(json_object_get(json, "quiet")), JSON_TRUE));
	cr_assert(eq(sz, json_array_size(rows), 4));
	for (size_t i = 0; i < 4; i++)
		cr_expect(eq(sz, json_object_size(json_array_get(rows, i)), 16), "row %zu", i);
	row = json_array_get(rows, 1);
	cr_expect(eq(int, json_typeof(json_object_get(row, "holds")), JSON_TRUE));
	cr_expect(eq(int, json_typeof(json_object_get(row, "sure")), JSON_TRUE));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(row, "sense")), "<="));
	cr_expect(epsilon_eq(dbl, json_number_value(json_object_get(row, "q3")), 1.011, 1e-9));
	cr_expect(eq(int, json_typeof(json_object_get(row, "why")), JSON_NULL));
	row = json_array_get(rows, 0);
	cr_expect(eq(int, json_typeof(json_object_get(row, "bar")), JSON_NULL));
	cr_expect(eq(int, json_typeof(json_object_get(row, "holds")), JSON_NULL));
	cr_expect(eq(int, json_typeof(json_object_get(row, "on_switch_ns")), JSON_NULL));
	json_decref(json);
}

Test(bench_overhead, what_is_not_known_is_null_in_json)
{
	json_t *json, *row;

	result.pairs = VMADJ_OVERHEAD_PAIRS_LEAST - 1;
	result.others = 1;
	json = to_json();
	row = json_array_get(json_object_get(json, "rows"), 3);
	cr_expect(eq(int, json_typeof(json_object_get(row, "value")), JSON_NULL));
	cr_expect(eq(int, json_typeof(json_object_get(row, "min")), JSON_NULL));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(row, "why")),
		     "it does not load: \"x\""));
	cr_expect(eq(int, json_typeof(json_object_get(json, "quiet")), JSON_NULL));
	cr_expect(eq(llong, json_integer_value(json_object_get(json, "others")), 1));
	json_decref(json);
}

/* What a pair does, a letter each: o, O and a load in between; c, C when it is closed. */
static char steps[64];
static int on_err, load_err, close_err;

static int step(const char *letter, int err)
{
	(void)strncat(steps, letter, sizeof(steps) - strlen(steps) - 1);
	return err;
}

static int off_open(const struct vmadj_bench_pairs *pairs, void **ret_state)
{
	(void)pairs;
	*ret_state = &steps;
	return step("o", 0);
}

static int on_open(const struct vmadj_bench_pairs *pairs, void **ret_state)
{
	(void)pairs;
	*ret_state = NULL;
	return step("O", on_err);
}

static int off_close(void *state)
{
	cr_expect(eq(ptr, state, &steps));
	return step("c", close_err);
}

static int on_close(void *state)
{
	cr_expect(eq(ptr, state, NULL));
	return step("C", 0);
}

/* Twice as long with what is compared. */
static int load(const struct vmadj_bench_pairs *pairs, double *ret_ns)
{
	(void)pairs;
	*ret_ns = steps[strlen(steps) - 1] == 'O' ? 20 : 10;
	return step(".", load_err);
}

static int measure(unsigned int n, struct vmadj_bench_paired *ret_paired)
{
	static const struct vmadj_bench_side off = { off_open, off_close },
					     on = { on_open, on_close };
	const struct vmadj_bench_pairs pairs = { .off = &off, .on = &on, .load = load, .n = n };

	steps[0] = '\0';
	return vmadj_bench_pairs_measure(&pairs, ret_paired);
}

Test(bench_overhead, the_halves_of_pairs_come_in_turn)
{
	struct vmadj_bench_paired paired;

	cr_assert(zero(int, measure(3, &paired)));
	cr_expect(eq(str, steps, "o.cO.CO.Co.co.cO.C"));
	cr_assert(eq(sz, paired.ratios.n, 3));
	for (size_t i = 0; i < 3; i++) {
		cr_expect(epsilon_eq(dbl, paired.ratios.v[i], 2, 1e-9));
		cr_expect(epsilon_eq(dbl, paired.off_ns.v[i], 10, 1e-9));
		cr_expect(epsilon_eq(dbl, paired.on_ns.v[i], 20, 1e-9));
	}
}

Test(bench_overhead, what_was_opened_is_closed_when_something_fails)
{
	struct vmadj_bench_paired paired = { .ratios.n = 7 };

	on_err = -EPERM;
	cr_expect(eq(int, measure(3, &paired), -EPERM));
	cr_expect(eq(str, steps, "o.cOC"));
	on_err = 0;
	load_err = -EINTR;
	cr_expect(eq(int, measure(3, &paired), -EINTR));
	cr_expect(eq(str, steps, "o.c"));
	load_err = 0;
	close_err = -EBUSY;
	cr_expect(eq(int, measure(3, &paired), -EBUSY));
	cr_expect(eq(sz, paired.ratios.n, 7));
}

/* A file of that name and content; the caller unlinks it. */
static void write_file(const char *path, const char *content, size_t size)
{
	FILE *file = fopen(path, "we");

	cr_assert(ne(ptr, file, NULL));
	cr_assert(eq(sz, fwrite(content, 1, size, file), size));
	cr_assert(zero(int, fclose(file)));
}

Test(bench_overhead, only_our_module_is_taken)
{
#define MODINFO(name) "license=GPL\0name=" name
	static const char ours[] = "\177ELF............\1\0" MODINFO("vmadj_kmod"),
			  other[] = "\177ELF............\1\0" MODINFO("vmadj_kmod2"),
			  program[] = "\177ELF............\2\0" MODINFO("vmadj_kmod"),
			  no_elf[] = "ELF.............\1\0" MODINFO("vmadj_kmod");
	char path[] = "/tmp/vmadj-kmod.XXXXXX";
	struct vmadj_bench_kmod kmod;
	int fd = mkstemp(path);

	cr_assert(ge(int, fd, 0));
	(void)close(fd);
	write_file(path, ours, sizeof(ours));
	cr_expect(zero(int, vmadj_bench_kmod_open(path, &kmod)), "%s", kmod.why);
	cr_expect(ge(int, kmod.fd, 0));
	vmadj_bench_kmod_close(&kmod);
	write_file(path, other, sizeof(other));
	cr_expect(eq(int, vmadj_bench_kmod_open(path, &kmod), -ENOEXEC));
	cr_expect(lt(int, kmod.fd, 0));
	write_file(path, program, sizeof(program));
	cr_expect(eq(int, vmadj_bench_kmod_open(path, &kmod), -ENOEXEC));
	write_file(path, no_elf, sizeof(no_elf));
	cr_expect(eq(int, vmadj_bench_kmod_open(path, &kmod), -ENOEXEC));
	cr_expect(ne(ptr, strstr(kmod.why, "make kmod"), NULL));
	write_file(path, "", 0);
	cr_expect(eq(int, vmadj_bench_kmod_open(path, &kmod), -ENOEXEC));
	(void)unlink(path);
	cr_expect(eq(int, vmadj_bench_kmod_open(path, &kmod), -ENOENT));
	cr_expect(eq(int, vmadj_bench_kmod_open("/dev/zero", &kmod), -ENOEXEC));
}
