/* SPDX-License-Identifier: GPL-2.0-only */
/* p2.h - the experiments of P2, the cache-aware memory scheduler */
#pragma once

#include "tools/bench/memory/experiment.h"
#include "tools/bench/memory/sides.h"

enum {
	VMADJ_P2_CASE1,
	VMADJ_P2_CASE2,
	VMADJ_P2_BACK,
	VMADJ_P2_TURNS,
	VMADJ_P2_SCAN,
	VMADJ_P2_CASES,
};

extern const struct vmadj_exp_case vmadj_p2_cases[VMADJ_P2_CASES];

/* What is judged of a case. */
struct vmadj_p2_bars {
	const char *name;	  /* of the case, in the rows and of the picture */
	double least_ratio;	  /* total hit rate / equal split, at least; 0: not judged */
	double within, not_under; /* points from, or under, the equal split; 0: not judged */
	bool nothing_to_gain;	  /* the equal split is as good as any: see rows.c */
	double giver_points;	  /* VM1's own hit rate may be lower by; 0: not judged */
	size_t mover;		  /* this VM should get more ... */
	unsigned int span_s[2];	  /* ... within this; {0}: nobody should */
};

/** vmadj_p2_report() - the rows of one case; Return: 0; -ENOMEM. */
int vmadj_p2_report(struct vmadj_bench *bench, const struct vmadj_p2_bars *bars,
		    const struct vmadj_exp_result *result);
