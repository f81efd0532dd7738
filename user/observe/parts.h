/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parts.h - the parts of an observer, for the inventory that reads them
 */
#pragma once

#include <stdint.h>

struct vmadj_life;
struct vmadj_observer;
struct vmadj_pagecache_view;
struct vmadj_sched_view;

struct vmadj_life *vmadj_observer_life(const struct vmadj_observer *observer);
struct vmadj_sched_view *vmadj_observer_sched(const struct vmadj_observer *observer);
/* NULL where this kernel cannot tell. */
struct vmadj_pagecache_view *vmadj_observer_pagecache(const struct vmadj_observer *observer);

/**
 * vmadj_observer_poll() - before a sample: bring the counters up to date
 *
 * In VMADJ_MODE_TRACE they are, and nothing is done.
 *
 * Return: 0; the errno of the kernel.
 */
int vmadj_observer_poll(struct vmadj_observer *observer);

/** vmadj_observer_refresh() - map what has been given out since; Return: 0, -errno. */
int vmadj_observer_refresh(struct vmadj_observer *observer);
