/* SPDX-License-Identifier: GPL-2.0-only */
/* view.c - which VMs of a snapshot are shown, in which order, and what they did lately */
#include "user/cmd/view.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_PCT 1e7 /* one per cent of a CPU for one second */

/* The totals of a VM at the sample before. */
struct before {
	char id[48];
	pid_t pid;
	uint64_t emulator_run_ns;
	size_t n_waited;
	struct vmadj_snap_waited waited_for[VMADJ_WAITED_MAX];
};

struct vmadj_view {
	const struct vmadj_options *options;
	size_t room;		/* that the arrays have */
	struct vmadj_row *rows; /* of this sample */
	struct before *before, *now;
	size_t n_before;
};

int vmadj_view_new(const struct vmadj_options *options, struct vmadj_view **ret_view)
{
	struct vmadj_view *view = calloc(1, sizeof(*view));

	if (!view)
		return -ENOMEM;
	view->options = options;
	*ret_view = view;
	return 0;
}

void vmadj_view_free(struct vmadj_view *view)
{
	if (!view)
		return;
	free(view->rows);
	free(view->before);
	free(view->now);
	free(view);
}

bool vmadj_view_matches(const struct vmadj_options *options, const struct vmadj_snap_vm *vm)
{
	const char *const names[] = { vm->name, vm->id, vm->uuid };

	for (size_t i = 0; i < options->n_vm; i++) {
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
			if (names[j] && fnmatch(options->vm[i], names[j], 0) == 0)
				return true;
		}
	}
	return options->n_vm == 0;
}

static int compare_before(const void *a, const void *b)
{
	const struct before *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return strcmp(x->id, y->id);
}

static const struct before *find_before(const struct vmadj_view *view,
					const struct vmadj_snap_vm *vm)
{
	struct before key = { .pid = vm->pid };

	if (!view->n_before)
		return NULL;
	(void)snprintf(key.id, sizeof(key.id), "%s", vm->id);
	return bsearch(&key, view->before, view->n_before, sizeof(key), compare_before);
}

static uint64_t waited_before(const struct before *before, const char *who)
{
	for (size_t i = 0; before && i < before->n_waited; i++) {
		if (strcmp(before->waited_for[i].who, who) == 0)
			return before->waited_for[i].wait_ns;
	}
	return 0;
}

/* Puts a culprit among the greatest; share_pct holds nanoseconds until all are known. */
static void insert_culprit(struct vmadj_row *row, const char *who, uint64_t wait_ns)
{
	size_t at = row->n_culprits;

	while (at > 0 && row->culprits[at - 1].share_pct < (double)wait_ns)
		at--;
	if (at == VMADJ_CULPRITS_MAX)
		return;
	if (row->n_culprits < VMADJ_CULPRITS_MAX)
		row->n_culprits++;
	memmove(&row->culprits[at + 1], &row->culprits[at],
		(row->n_culprits - 1 - at) * sizeof(row->culprits[0]));
	row->culprits[at].who = who;
	row->culprits[at].share_pct = (double)wait_ns;
}

static void find_culprits(struct vmadj_row *row, const struct before *before)
{
	const struct vmadj_snap_cpu *cpu = &row->vm->cpu;
	double total_ns = 0;

	for (size_t i = 0; i < cpu->n_waited; i++) {
		const struct vmadj_snap_waited *waited = &cpu->waited_for[i];
		uint64_t was_ns = waited_before(before, waited->who);

		if (waited->wait_ns <= was_ns)
			continue;
		insert_culprit(row, waited->who, waited->wait_ns - was_ns);
		total_ns += (double)(waited->wait_ns - was_ns);
	}
	for (size_t i = 0; i < row->n_culprits; i++)
		row->culprits[i].share_pct *= 100 / total_ns;
}

static void fill_row(struct vmadj_row *row, const struct vmadj_view *view,
		     const struct vmadj_snapshot *snapshot, const struct vmadj_snap_vm *vm)
{
	const struct before *before = find_before(view, vm);
	uint64_t was_ns = before ? before->emulator_run_ns : 0;
	uint64_t is_ns = vm->cpu.emulator_run_ns;

	row->vm = vm;
	row->n_culprits = 0;
	row->emulator_pct = NAN;
	if (vm->cpu.known && snapshot->interval_s > 0 && is_ns >= was_ns)
		row->emulator_pct = (double)(is_ns - was_ns) / NS_PER_PCT / snapshot->interval_s;
	if (vm->cpu.known)
		find_culprits(row, before);
}

static void remember(struct before *before, const struct vmadj_snap_vm *vm)
{
	(void)snprintf(before->id, sizeof(before->id), "%s", vm->id);
	before->pid = vm->pid;
	before->emulator_run_ns = vm->cpu.emulator_run_ns;
	before->n_waited = vm->cpu.known ? vm->cpu.n_waited : 0;
	if (before->n_waited) {
		memcpy(before->waited_for, vm->cpu.waited_for,
		       before->n_waited * sizeof(before->waited_for[0]));
	}
}

/* What is sorted by, greatest first; NAN, which is not known, comes last. */
static double sort_value(const struct vmadj_row *row, int key)
{
	const struct vmadj_snap_vm *vm = row->vm;

	switch (key) {
	case VMADJ_SORT_WAIT:
		return vm->cpu.known ? vm->cpu.wait_pct : (double)NAN;
	case VMADJ_SORT_EMULATOR:
		return row->emulator_pct;
	case VMADJ_SORT_HIT:
		return vm->host_cache.known ? -vm->host_cache.hit_pct : (double)NAN;
	case VMADJ_SORT_PID:
		return 0;
	default:
		return vm->cpu.known ? vm->cpu.usage_pct : (double)NAN;
	}
}

static int compare_values(double x, double y)
{
	if (isnan(x) || isnan(y))
		return (isnan(x) ? 1 : 0) - (isnan(y) ? 1 : 0);
	return (x < y) - (x > y);
}

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct vmadj_row *x = a, *y = b;
	int key = *(const int *)arg;
	int order;

	if (key == VMADJ_SORT_NAME) {
		order = strcmp(x->vm->name ? x->vm->name : "", y->vm->name ? y->vm->name : "");
	} else {
		order = compare_values(sort_value(x, key), sort_value(y, key));
	}
	if (order)
		return order;
	return (x->vm->pid > y->vm->pid) - (x->vm->pid < y->vm->pid);
}

/* Room for @n VMs in all arrays; a failure leaves every one of them usable. */
static int reserve(struct vmadj_view *view, size_t n)
{
	struct before *before;
	struct vmadj_row *rows;

	if (n <= view->room)
		return 0;
	rows = reallocarray(view->rows, n, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	view->rows = rows;
	before = reallocarray(view->before, n, sizeof(*before));
	if (!before)
		return -ENOMEM;
	view->before = before;
	before = reallocarray(view->now, n, sizeof(*before));
	if (!before)
		return -ENOMEM;
	view->now = before;
	view->room = n;
	return 0;
}

int vmadj_view_update(struct vmadj_view *view, const struct vmadj_snapshot *snapshot,
		      const struct vmadj_row **ret_rows, size_t *ret_n_rows)
{
	int key = view->options->sort;
	struct before *was;
	size_t n = 0;
	int err;

	err = reserve(view, snapshot->n_vms + 1);
	if (err)
		return err;
	for (size_t i = 0; i < snapshot->n_vms; i++) {
		const struct vmadj_snap_vm *vm = &snapshot->vms[i];

		if (!vmadj_view_matches(view->options, vm))
			continue;
		fill_row(&view->rows[n], view, snapshot, vm);
		remember(&view->now[n], vm);
		n++;
	}
	qsort(view->now, n, sizeof(*view->now), compare_before);
	qsort_r(view->rows, n, sizeof(*view->rows), compare_rows, &key);
	was = view->before;
	view->before = view->now;
	view->now = was;
	view->n_before = n;
	*ret_rows = view->rows;
	*ret_n_rows = n;
	return 0;
}
