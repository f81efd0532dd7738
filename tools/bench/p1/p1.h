/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * p1.h - the experiment of the peacemaker paper (K. Higashi, IPSJ SIG OS-122-15, 2012)
 *
 * What a guest gets done with the paper's policy and without, in turn.
 *
 * Units:     rates in units a second; seconds of the host.
 * Errors:    as in bench.h.
 */
#pragma once

#include <stdint.h>

#include "tests/lab/lab.h"
#include "tools/bench/bench.h"

#define VMADJ_P1_TESTS	 12
#define VMADJ_P1_SECONDS "0.8" /* of each */

/* One round of a guest's: each kind of work once (tools/lab/unixlike.c). */
struct vmadj_p1_round {
	double rate[VMADJ_P1_TESTS];
	double guest_s, host_s; /* the same time by both clocks */
};

struct vmadj_p1_test {
	const char *name;  /* as the guest says it */
	const char *title; /* with the paper's figure, with its policy / without */
};

extern const struct vmadj_p1_test vmadj_p1_tests[VMADJ_P1_TESTS];

/** vmadj_p1_round() - wait for it; Return: 0; -ETIMEDOUT; -EINTR; -errno. */
int vmadj_p1_round(struct vmadj_bench *bench, const struct vmadj_lab_vm *vm,
		   struct vmadj_p1_round *ret_round);

int vmadj_p1_part_a(struct vmadj_bench *bench);
int vmadj_p1_part_b(struct vmadj_bench *bench);
