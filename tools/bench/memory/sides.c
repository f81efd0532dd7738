// SPDX-License-Identifier: GPL-2.0-only
/* sides.c - the policies that the experiments hold against each other, scaled as these are */
#include "tools/bench/memory/sides.h"

#include <stdio.h>
#include <string.h>

/*
 * Proxmox VE: every 10 s, at most 100 MiB, dead band 10 MiB. MOM: every 15 s. What both keep free,
 * see sides.h. P5: 1 s and 5 s; how far a margin goes in that, the paper does not tell.
 */
static const struct vmadj_exp_side known[] = {
	{ .title = "equal split", .policy = "static_split", .params = "period = 1s\n" },
	{ .title = "pve_auto",
	  .policy = "pve_auto",
	  .params = "period = 2s\nchange = 12800K\ndead_band = 1280K\ngoal = 100\n" },
	{ .title = "mom_default",
	  .policy = "mom_default",
	  .params = "period = 3s\npressure = 1\ncritical = 0\n" },
	{ .title = "cache_share",
	  .policy = "cache_share",
	  .params = "period = 1s\nsettle = 4s\nrest = 6s\nrest_max = 192s\nsmooth = 8s\n" },
	{ .title = "margin",
	  .policy = "margin",
	  .params = "period = 0.2s\nmargin_period = 1s\nstep = 8M\nleast = 8M\ngrain = 3M\n"
		    "rush = 4M\nagain = 2M\n" },
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

void vmadj_exp_sides(const char *ours, const char *cache,
		     struct vmadj_exp_side ret_sides[VMADJ_SIDES])
{
	for (size_t i = 0; i < KNOWN; i++) {
		bool is_ours = !strcmp(known[i].policy, ours);

		if (i >= VMADJ_SIDE_OURS && !is_ours)
			continue;
		ret_sides[is_ours ? VMADJ_SIDE_OURS : i] = known[i];
	}
	for (size_t i = 0; i < VMADJ_SIDES; i++)
		ret_sides[i].cache = cache;
}

void vmadj_exp_sources(const char *ours, struct vmadj_exp_side ret_sides[VMADJ_SIDES])
{
	static const struct {
		const char *source, *title;
	} by[VMADJ_SIDES] = {
		[VMADJ_BY_AGENT] = { "agent", "by our agent" },
		[VMADJ_BY_QGA] = { "qemu-ga", "by qemu-ga" },
		[VMADJ_BY_BALLOON] = { "balloon", "by the balloon" },
	};

	vmadj_exp_sides(ours, "writeback", ret_sides);
	for (size_t i = VMADJ_BY_AGENT; i < VMADJ_SIDES; i++) {
		ret_sides[i] = ret_sides[VMADJ_SIDE_OURS];
		ret_sides[i].source = by[i].source;
		ret_sides[i].title = by[i].title;
	}
}

void vmadj_exp_say(const struct vmadj_exp_side *sides, size_t n)
{
	(void)printf("sizes / %d, times / %d; policies:\n", VMADJ_EXP_SIZE, VMADJ_EXP_TIME);
	for (size_t i = 0; i < n; i++) {
		(void)printf("  %-12s ", sides[i].policy);
		for (const char *p = sides[i].params; *p; p++)
			(void)putchar(*p == '\n' ? ' ' : *p);
		(void)printf("%s\n", *sides[i].params ? "" : "as it comes");
	}
	(void)fflush(stdout);
}
