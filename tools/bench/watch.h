/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * watch.h - an observer in this process, as dump runs it, and what it says of a VM
 *
 * Units:     as in snapshot.h.
 * Errors:    0 or a negative errno.
 * Ownership: vmadj_bench_watch_close() takes a zeroed or half-open one.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "user/observe/observer.h"
#include "user/snapshot/snapshot.h"

struct vmadj_inventory;

struct vmadj_bench_watch {
	struct vmadj_observer *observer;
	struct vmadj_inventory *inventory;
	struct vmadj_snapshot_builder *builder;
	const struct vmadj_snapshot *snapshot; /* the last one */
	uint64_t tick_ns;		       /* monotonic: when the next one is due */
};

/** vmadj_bench_watch_open() - Return: 0; -ENOTSUP: the observer cannot run here; -errno. */
int vmadj_bench_watch_open(struct vmadj_bench_watch *ret_watch); /* tracing */
int vmadj_bench_watch_open_mode(enum vmadj_mode mode, struct vmadj_bench_watch *ret_watch);
void vmadj_bench_watch_close(struct vmadj_bench_watch *watch);

/** vmadj_bench_watch_serve() - take what comes within @ms, as dump does; Return: 0; -EINTR; -errno.
 */
int vmadj_bench_watch_serve(struct vmadj_bench_watch *watch, unsigned int ms);

/** vmadj_bench_watch_sample() - a sample in @ms; Return: 0; -EINTR: the bench ends; -errno. */
int vmadj_bench_watch_sample(struct vmadj_bench_watch *watch, unsigned int ms);

/* In the last sample; NULL: it is not there. */
const struct vmadj_snap_vm *vmadj_bench_watch_vm(const struct vmadj_bench_watch *watch, pid_t pid);
