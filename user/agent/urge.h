/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * urge.h - whether this guest is in distress, so that it must be said at once
 *
 * docs/guest-protocol.md has the rule: since the last report a task stalled for memory, the OOM
 * killer ran, something was swapped, or refaults came at more than twice the rate of before.
 *
 * Units: seconds, monotonic; refaults a second.
 */
#pragma once

#include <stdbool.h>

#include "user/agent/figures.h"

/* All zeroes: nothing has been reported yet, and nothing is urgent. */
struct vmadj_urge {
	bool reported;
	double at_s; /* the last report, and what it said */
	struct vmadj_figures said;
	double refault_rate; /* between the last two reports */
};

bool vmadj_urge_now(const struct vmadj_urge *urge, const struct vmadj_figures *figures,
		    double now_s);

/* @figures have been reported. */
void vmadj_urge_reported(struct vmadj_urge *urge, const struct vmadj_figures *figures,
			 double now_s);
