/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sched.h - run time and waiting of each slot, as bpf/sched.bpf.c counts them
 *
 * In VMADJ_MODE_POLL as of the last vmadj_sched_poll(), and without waits and blame.
 *
 * Units:     ns and counts, totals of the kernel's own counters for that thread.
 * Errors:    0 or a negative errno.
 * Ownership: vmadj_sched_close() takes NULL.
 */
#pragma once

#include <linux/types.h>
#include <stdint.h>

#include "bpf/sched.h"
#include "user/observe/observer.h"

struct bpf_object;
struct vmadj_life;
struct vmadj_sched_view;

/**
 * vmadj_sched_open() - load and attach
 *
 * @mode: VMADJ_MODE_TRACE or VMADJ_MODE_POLL. In the latter nothing is attached to switches.
 *
 * Return: 0; -ENOMEM; -E2BIG: more than VMADJ_CPUS CPUs; the kernel's errno.
 */
int vmadj_sched_open(const struct vmadj_life *life, enum vmadj_mode mode,
		     struct vmadj_sched_view **ret_view);
void vmadj_sched_close(struct vmadj_sched_view *view);
struct bpf_object *vmadj_sched_object(struct vmadj_sched_view *view);

enum vmadj_mode vmadj_sched_mode(const struct vmadj_sched_view *view);

/** vmadj_sched_poll() - walk all tasks; nothing in VMADJ_MODE_TRACE; Return: 0, the kernel's errno.
 */
int vmadj_sched_poll(const struct vmadj_sched_view *view);

/**
 * vmadj_sched_fall_back() - from tracing to polling, with the counters that are there
 *
 * Pointers to slots got before are void.
 *
 * Return: 0, also where it polls already; the kernel's errno: as before, if it still traces.
 */
int vmadj_sched_fall_back(struct vmadj_sched_view *view, const struct vmadj_life *life);

/** vmadj_sched_refresh() - map the first @slots slots, which have threads now; Return: 0, -errno.
 */
int vmadj_sched_refresh(struct vmadj_sched_view *view, uint32_t slots);

struct vmadj_sched *vmadj_sched_at(const struct vmadj_sched_view *view, uint32_t slot);

/* Which half of the blame: 0 is the one being written, 1 the one that may be emptied. */
struct vmadj_blame *vmadj_sched_blame(const struct vmadj_sched_view *view,
				      struct vmadj_sched *sched, unsigned int which);
void vmadj_sched_turn_epoch(struct vmadj_sched_view *view);
void vmadj_sched_clear(struct vmadj_sched_view *view, uint32_t slot);

/** vmadj_sched_waiting() - threads of VMs that were preempted and are runnable, while tracing */
uint32_t vmadj_sched_waiting(const struct vmadj_sched_view *view);

/** vmadj_sched_run_ns() - run time up to @now_ns (monotonic), the stint under way included. */
uint64_t vmadj_sched_run_ns(const struct vmadj_sched *sched, uint64_t now_ns);
