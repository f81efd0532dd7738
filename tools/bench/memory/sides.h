/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sides.h - the policies that the experiments hold against each other, scaled as these are
 *
 * Sizes are divided by VMADJ_EXP_SIZE, times by VMADJ_EXP_TIME, the policies' own included.
 *
 * The host of all sides is the same, and so is what its VMs can have together: what they begin
 * with, 80 % of it. pve_auto and mom_default keep 20 % of a host free; here these are the host's
 * reserve already, which the daemon holds for every policy. So their goals are what is left.
 */
#pragma once

#include "tools/bench/memory/experiment.h"

#define VMADJ_EXP_SIZE 8
#define VMADJ_EXP_TIME 5

enum { VMADJ_SIDE_SPLIT, VMADJ_SIDE_PVE, VMADJ_SIDE_MOM, VMADJ_SIDE_OURS, VMADJ_SIDES };

/* Equal split, pve_auto, mom_default, and @ours: "cache_share", "margin". */
void vmadj_exp_sides(const char *ours, const char *cache,
		     struct vmadj_exp_side ret_sides[VMADJ_SIDES]);

enum { VMADJ_BY_AGENT = 1, VMADJ_BY_QGA, VMADJ_BY_BALLOON };

/* Equal split, and @ours by what each source can tell, alone. */
void vmadj_exp_sources(const char *ours, struct vmadj_exp_side ret_sides[VMADJ_SIDES]);

/** vmadj_exp_say() - the parameters of all sides, to stdout */
void vmadj_exp_say(const struct vmadj_exp_side *sides, size_t n);
