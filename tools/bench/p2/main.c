// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - `make bench-p2`: memory goes where a page cache earns most
 *
 *	bench-p2 [CASE ...]	all cases, or these
 *
 * Prints a table, writes bench/p2.json and draws bench/p2-CASE.svg in the output folder.
 * Exit status: 0: all bars hold; 1: one does not; 2: something could not be measured.
 */
#include <stdio.h>
#include <string.h>

#include "tools/bench/memory/rows.h"
#include "tools/bench/p2/p2.h"

static struct vmadj_exp_result result;

static int draw(struct vmadj_bench *bench, const struct vmadj_p2_bars *bars, const char *cache)
{
	char name[64], path[512], title[128], subtitle[200];
	const struct vmadj_exp_picture picture = { .path = path,
						   .title = title,
						   .subtitle = subtitle };
	int err;

	(void)snprintf(name, sizeof(name), "bench/p2-%s.svg", bars->name);
	for (char *p = name; (p = strchr(p, ' '));)
		*p = '-';
	err = vmadj_bench_output(name, path, sizeof(path));
	(void)snprintf(title, sizeof(title), "P2, %s: memory and page-cache hits over time",
		       result.what->title);
	(void)snprintf(subtitle, sizeof(subtitle),
		       "%zu Linux guests for each policy, all at the same time; sizes / %d, "
		       "times / %d; disks with cache=%s",
		       result.what->n_vms, VMADJ_EXP_SIZE, VMADJ_EXP_TIME, cache);
	if (!err)
		err = vmadj_exp_draw(&result, &picture);
	return err ? vmadj_bench_fail(bench, err, "%s cannot be drawn", path) : 0;
}

static struct vmadj_exp_side sides[VMADJ_SIDES];

static int measure(struct vmadj_bench *bench, int which, const char *cache,
		   const struct vmadj_p2_bars *bars)
{
	static bool said;
	int err;

	vmadj_exp_sides("cache_share", cache, sides);
	if (!said)
		vmadj_exp_say(sides, VMADJ_SIDES);
	said = true;
	err = vmadj_exp_run(bench, &vmadj_p2_cases[which], sides, VMADJ_SIDES, &result);
	if (!err)
		err = vmadj_p2_report(bench, bars, &result);
	return err ? err : draw(bench, bars, cache);
}

static int case1_on(struct vmadj_bench *bench, const char *name, const char *cache)
{
	const struct vmadj_p2_bars bars = { .name = name,
					    .least_ratio = 1.5,
					    .giver_points = 2,
					    .mover = 1,
					    .span_s = { 40, 150 } };

	return measure(bench, VMADJ_P2_CASE1, cache, &bars);
}

static int case1(struct vmadj_bench *bench)
{
	return case1_on(bench, "case 1", "writeback");
}

static int case1_none(struct vmadj_bench *bench)
{
	return case1_on(bench, "case 1 cache=none", "none");
}

static int case2(struct vmadj_bench *bench)
{
	const struct vmadj_p2_bars bars = { .name = "case 2",
					    .within = 2,
					    .nothing_to_gain = true };

	return measure(bench, VMADJ_P2_CASE2, "writeback", &bars);
}

static int back(struct vmadj_bench *bench)
{
	const struct vmadj_p2_bars bars = {
		.name = "back", .not_under = 3, .mover = 1, .span_s = { 45, 80 }
	};

	return measure(bench, VMADJ_P2_BACK, "writeback", &bars);
}

static int turns(struct vmadj_bench *bench)
{
	const struct vmadj_p2_bars bars = {
		.name = "turns", .not_under = 3, .mover = 1, .span_s = { 70, 110 }
	};

	return measure(bench, VMADJ_P2_TURNS, "writeback", &bars);
}

static int scan(struct vmadj_bench *bench)
{
	const struct vmadj_p2_bars bars = { .name = "scan",
					    .not_under = 3,
					    .nothing_to_gain = true };

	return measure(bench, VMADJ_P2_SCAN, "writeback", &bars);
}

static int sources(struct vmadj_bench *bench)
{
	const struct vmadj_p2_bars bars = { .name = "case 1 by source" };
	struct vmadj_exp_rows rows = { .bench = bench, .result = &result, .name = bars.name };
	int err;

	vmadj_exp_sources("cache_share", sides);
	err = vmadj_exp_run(bench, &vmadj_p2_cases[VMADJ_P2_CASE1], sides, VMADJ_SIDES, &result);
	if (err)
		return err;
	vmadj_exp_by_sources(&rows);
	return rows.err ? rows.err : draw(bench, &bars, "writeback");
}

static const struct vmadj_bench_group groups[] = {
	{ "case1", "case 1: low locality, and sudden medium locality", case1 },
	{ "none", "case 1, past the host's cache", case1_none },
	{ "case2", "case 2: low locality, and high locality that fits", case2 },
	{ "back", "a giver whose working set comes back", back },
	{ "turns", "three VMs in rotation", turns },
	{ "scan", "a scan of a huge file beside a hot set", scan },
	{ "sources", "case 1, with only an agent, qemu-ga, or a balloon", sources },
};

int main(int argc, char **argv)
{
	static const struct vmadj_bench_suite suite = {
		.name = "p2",
		.groups = groups,
		.n = sizeof(groups) / sizeof(groups[0]),
	};

	(void)argc;
	return vmadj_bench_main(&suite, argv + 1);
}
