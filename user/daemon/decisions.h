/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * decisions.h - what was decided on a VM lately, made and not made
 *
 * `vmadjust-bpf ctl why VM` shows it: what was known, what was wished and why, what the guard
 * said, what came of it, and what the VM got in the intervals after.
 *
 * Units:     per cent of one CPU; bytes; unix time in seconds.
 * Ownership: texts that are not arrays are constants or live as long as the daemon.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/util/jsonw.h"

#define VMADJ_DECISIONS_KEPT  16 /* a VM */
#define VMADJ_DECISION_AFTERS 3	 /* intervals looked at afterwards */

struct vmadj_snap_vm;

enum vmadj_verdict {
	VMADJ_VERDICT_ALLOWED,
	VMADJ_VERDICT_CLAMPED, /* done, but not as far as was wished */
	VMADJ_VERDICT_DRY_RUN, /* would be done */
	VMADJ_VERDICT_REFUSED,
	VMADJ_VERDICT_NO_WISH, /* the policy says why it wishes nothing */
};

struct vmadj_decision {
	uint64_t serial; /* unique */
	double time_unix_s, last_unix_s;
	double snapshot_s;     /* when what was known was taken, monotonic */
	unsigned int times;    /* so often in a row, the last at last_unix_s */
	char by[32];	       /* the policy, or "hand" */
	const char *knob;      /* "cpu", "memory"; NULL: none */
	double wish, from, to; /* nice values or bytes; NAN: none */
	char reason[160];

	/* what was known, and how old it was */
	double usage_pct, wait_pct, snapshot_age_s, guest_age_s;
	char waited_for[48];

	enum vmadj_verdict verdict;
	const char *why; /* the guard's; NULL: nothing to say */
	bool pending;	 /* the result is not known yet */
	int err;	 /* of carrying it out */
	char error[96];
	double took_ms; /* from the snapshot to the effect */
	unsigned int n_after;
	double usage_after_pct[VMADJ_DECISION_AFTERS], wait_after_pct[VMADJ_DECISION_AFTERS];
};

struct vmadj_decisions {
	unsigned int n, next;	     /* a ring, which begins small: most VMs have few */
	unsigned int room;	     /* of the ring */
	struct vmadj_decision *ring; /* NULL: none yet */
};

/**
 * vmadj_decisions_add() - keep it; the same again, not carried out, only counts
 *
 * Return: where it is kept, until the next one comes; NULL: out of memory.
 */
struct vmadj_decision *vmadj_decisions_add(struct vmadj_decisions *decisions,
					   const struct vmadj_decision *decision);

/* The one with that serial; NULL: it is not kept any more. */
struct vmadj_decision *vmadj_decisions_find(struct vmadj_decisions *decisions, uint64_t serial);
void vmadj_decisions_clear(struct vmadj_decisions *decisions);

/* An interval has passed: notes what the VM got in it. */
void vmadj_decisions_see(struct vmadj_decisions *decisions, const struct vmadj_snap_vm *row);

/* An array of all, the oldest first. */
void vmadj_decisions_write(const struct vmadj_decisions *decisions, const char *key,
			   struct vmadj_jsonw *w);
