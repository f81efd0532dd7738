/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mode.h - to trace or to poll: what VMADJ_MODE_AUTO becomes
 *
 * Errors: 0 or a negative errno.
 */
#pragma once

#include <stdint.h>

#include "user/observe/observer.h"

struct vmadj_pace {
	double switches_per_s; /* of all CPUs together */
	uint64_t tasks;
	unsigned int cpus;
};

/** vmadj_pace_measure() - takes a tenth of a second; Return: 0; -EIO: /proc does not tell. */
int vmadj_pace_measure(struct vmadj_pace *ret_pace);

/* VMADJ_MODE_TRACE, unless that would cost too much, and more than polling. */
enum vmadj_mode vmadj_mode_choose(const struct vmadj_pace *pace);

/* The same of this host, said in the log. */
enum vmadj_mode vmadj_mode_auto(void);

/* What one poll of this host would take, as far as that can be told without one; NAN: not known. */
double vmadj_mode_poll_ns(void);
