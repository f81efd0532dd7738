/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host.h - load, pressure and memory of the host
 */
#pragma once

#include <stdint.h>

#include "user/snapshot/snapshot.h"

/* CPU time since boot, in ticks, of all CPUs together. */
struct vmadj_cpu_ticks {
	uint64_t busy, all;
};

/**
 * vmadj_snap_host_read() - fill in all but the kernel's name
 *
 * @before: the ticks of the last reading, replaced by those of this one.
 *
 * Return: 0; -EIO: /proc/stat or /proc/meminfo cannot be read.
 */
int vmadj_snap_host_read(struct vmadj_snap_host *host, struct vmadj_cpu_ticks *before);
