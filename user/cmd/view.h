/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * view.h - which VMs of a snapshot are shown, in which order, and what they did lately
 *
 * A snapshot carries totals where the table needs the interval: who was waited for
 * now, not since last week. A view remembers the totals of the sample before.
 *
 * Units:     percent as in snapshot.h.
 * Ownership: rows point into the snapshot they were made from and into the view;
 *            vmadj_view_free() takes NULL.
 */
#pragma once

#include <stddef.h>

#include "user/cmd/options.h"
#include "user/snapshot/snapshot.h"

#define VMADJ_CULPRITS_MAX 3

struct vmadj_culprit {
	const char *who;
	double share_pct; /* of what the VM waited in the interval, 0..100 */
};

struct vmadj_row {
	const struct vmadj_snap_vm *vm;
	double emulator_pct; /* in the interval; 100 = one CPU; NAN: not known */
	size_t n_culprits;
	struct vmadj_culprit culprits[VMADJ_CULPRITS_MAX]; /* greatest first */
};

struct vmadj_view;

/**
 * vmadj_view_new() - @options (vm, sort) must outlive the view
 *
 * Return: 0; -ENOMEM.
 */
int vmadj_view_new(const struct vmadj_options *options, struct vmadj_view **ret_view);
void vmadj_view_free(struct vmadj_view *view);

/**
 * vmadj_view_update() - make the rows of a new snapshot
 *
 * @ret_rows is valid until the next update, and as long as @snapshot is.
 *
 * Return: 0; -ENOMEM (then the view is as it was).
 */
int vmadj_view_update(struct vmadj_view *view, const struct vmadj_snapshot *snapshot,
		      const struct vmadj_row **ret_rows, size_t *ret_n_rows);

/* Whether one of the patterns (all VMs when there is none) matches the name, id or UUID. */
bool vmadj_view_matches(const struct vmadj_options *options, const struct vmadj_snap_vm *vm);
