// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - `make bench-p5`: memory follows what guests read
 *
 * P5's experiment: two guests read whole files, any of the first N with the same chance; N
 * changes every 10 minutes. Its host has 4 GB, its guests at most 3 GB, its files 1 MB; here all
 * that is an eighth, and since kernels do not get smaller, 64 MiB more of the host's and 128 MiB
 * more of a guest's most. Times are a fifth; seconds are those of the experiment so scaled.
 *
 * Prints a table, writes bench/p5.json and draws bench/p5.svg in the output folder.
 * Exit status: 0: all bars hold; 1: one does not; 2: something could not be measured.
 */
#include <math.h>
#include <stdio.h>

#include "tools/bench/memory/rows.h"

#define PHASES	   3
#define PHASE_S	   120
#define FILE_MIB   0.125
#define UP_S	   15
#define DOWN_S	   60
#define LEAST_MIB  16.0
#define RATE	   "70"
#define NOT_BEYOND 1.0

static const unsigned int files[PHASES][2] = { { 500, 1000 }, { 5000, 4000 }, { 2000, 1000 } };

static const struct vmadj_exp_case two_guests = {
	.name = "p5",
	.title = "P5",
	.n_vms = 2,
	.max_mib = 512,
	.min_mib = 96,
	.split_mib = 288,
	.end_s = PHASES * PHASE_S,
	.mark_s = { PHASE_S, 2 * PHASE_S },
	.vm = { { "VM1: 500, 5000, 2000 files",
		  "0:120:" RATE ":files:0:500 120:240:" RATE ":files:0:5000 "
		  "240:360:" RATE ":files:0:2000" },
		{ "VM2: 1000, 4000, 1000 files",
		  "0:120:" RATE ":files:0:1000 120:240:" RATE ":files:0:4000 "
		  "240:360:" RATE ":files:0:1000" } },
};

static struct vmadj_exp_side sides[VMADJ_SIDES];
static struct vmadj_exp_result result;

/* What each guest reads, and what it needs beside that, as ours told it. */
static void wanted(double ret_mib[PHASES][VMADJ_EXP_VMS_MAX])
{
	for (size_t k = 0; k < PHASES; k++) {
		for (size_t vm = 0; vm < 2; vm++) {
			double base = result.track[VMADJ_SIDE_OURS][vm].base_mib;

			ret_mib[k][vm] = (isnan(base) ? 0 : base) + files[k][vm] * FILE_MIB;
		}
	}
}

static int draw(struct vmadj_bench *bench, const char *name)
{
	double wanted_mib[PHASES][VMADJ_EXP_VMS_MAX] = { 0 };
	char path[512], subtitle[200];
	const struct vmadj_exp_picture picture = {
		.path = path,
		.title = "P5: memory follows what the guests read",
		.subtitle = subtitle,
		.wanted_mib = wanted_mib,
	};
	int err = vmadj_bench_output(name, path, sizeof(path));

	(void)snprintf(subtitle, sizeof(subtitle),
		       "2 Linux guests for each policy, all at the same time; sizes / %d, times / "
		       "%d; files of 128 KiB, disks with cache=writeback",
		       VMADJ_EXP_SIZE, VMADJ_EXP_TIME);
	wanted(wanted_mib);
	if (!err)
		err = vmadj_exp_draw(&result, &picture);
	return err ? vmadj_bench_fail(bench, err, "%s cannot be drawn", path) : 0;
}

/* --- following ---------------------------------------------------------- */

/* Of all VMs that change this way at the beginning of a phase, the slowest, real seconds. */
static double follows_s(size_t side, size_t phase, int way)
{
	const unsigned int span_s[2] = { (unsigned int)phase * PHASE_S,
					 (unsigned int)(phase + 1) * PHASE_S };
	double slowest = 0;

	for (size_t vm = 0; vm < 2; vm++) {
		bool more = files[phase][vm] > files[phase - 1][vm];

		/* VM1 reads less in the last phase, and still more than there is. */
		if (more != (way > 0) || (way < 0 && vm == 0))
			continue;
		slowest = fmax(slowest,
			       vmadj_exp_moved_s(&result, side, vm, span_s, way * LEAST_MIB));
	}
	return slowest;
}

static void report_follows(struct vmadj_exp_rows *rows)
{
	const struct vmadj_bench_row up = { "memory follows up", "s", VMADJ_BENCH_AT_MOST, UP_S,
					    false };
	const struct vmadj_bench_row down = { "memory follows down", "s", VMADJ_BENCH_AT_MOST,
					      DOWN_S, false };
	const struct vmadj_bench_row most = { "the most that VMs had / the host less its reserve",
					      "ratio", VMADJ_BENCH_AT_MOST, NOT_BEYOND, false };
	double up_s = follows_s(VMADJ_SIDE_OURS, 1, 1);

	vmadj_exp_add(rows, &up, up_s);
	vmadj_exp_add(rows, &down, follows_s(VMADJ_SIDE_OURS, 2, -1));
	vmadj_exp_add(rows, &most,
		      vmadj_exp_most_mib(&result, VMADJ_SIDE_OURS) / (2.0 * two_guests.split_mib));
	vmadj_exp_more_than(rows, VMADJ_SIDE_PVE, 0);
	vmadj_exp_sooner_than(rows, VMADJ_SIDE_PVE, up_s, follows_s(VMADJ_SIDE_PVE, 1, 1));
	vmadj_exp_more_than(rows, VMADJ_SIDE_MOM, 0);
	vmadj_exp_sooner_than(rows, VMADJ_SIDE_MOM, up_s, follows_s(VMADJ_SIDE_MOM, 1, 1));
}

static void show(struct vmadj_exp_rows *rows, size_t side)
{
	const char *title = result.side[side]->title;
	char what[VMADJ_EXP_WHAT_MAX];
	struct vmadj_bench_row row = { what, "s", VMADJ_BENCH_SHOWN, 0, false };

	vmadj_exp_show_hits(rows, side);
	(void)snprintf(what, sizeof(what), "%s: follows up", title);
	vmadj_exp_add(rows, &row, follows_s(side, 1, 1));
	(void)snprintf(what, sizeof(what), "%s: follows down", title);
	vmadj_exp_add(rows, &row, follows_s(side, 2, -1));
	row.unit = "MiB";
	(void)snprintf(what, sizeof(what), "%s: the most that VMs had together", title);
	vmadj_exp_add(rows, &row, vmadj_exp_most_mib(&result, side));
}

static int measure(struct vmadj_bench *bench)
{
	struct vmadj_exp_rows rows = { .bench = bench, .result = &result, .name = "P5" };
	int err;

	vmadj_exp_sides("margin", "writeback", sides);
	vmadj_exp_say(sides, VMADJ_SIDES);
	err = vmadj_exp_run(bench, &two_guests, sides, VMADJ_SIDES, &result);
	if (err)
		return err;
	report_follows(&rows);
	for (size_t side = 0; side < result.n_sides; side++)
		show(&rows, side);
	return rows.err ? rows.err : draw(bench, "bench/p5.svg");
}

static int sources(struct vmadj_bench *bench)
{
	struct vmadj_exp_rows rows = { .bench = bench, .result = &result, .name = "P5 by source" };
	int err;

	vmadj_exp_sources("margin", sides);
	err = vmadj_exp_run(bench, &two_guests, sides, VMADJ_SIDES, &result);
	if (err)
		return err;
	vmadj_exp_by_sources(&rows);
	return rows.err ? rows.err : draw(bench, "bench/p5-by-source.svg");
}

static const struct vmadj_bench_group groups[] = {
	{ "p5", "two guests that read more, and less", measure },
	{ "sources", "the same, with only an agent, qemu-ga, or a balloon", sources },
};

int main(int argc, char **argv)
{
	static const struct vmadj_bench_suite suite = {
		.name = "p5",
		.groups = groups,
		.n = sizeof(groups) / sizeof(groups[0]),
	};

	(void)argc;
	return vmadj_bench_main(&suite, argv + 1);
}
