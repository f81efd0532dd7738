/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guard.h - what of a wish may be done
 *
 * The limits that the administrator configured hold whatever a policy, or a person by `ctl set`,
 * says. Pure: no clock, no kernel. How memory gets where it may go is memory.h's.
 *
 * Units: nice values.
 */
#pragma once

#include <stdbool.h>

struct vmadj_guard_cpu {
	bool managed, paused;
	bool theirs;	     /* somebody else has changed the knob since */
	bool by_hand;	     /* it was set by hand, and this wish is not */
	bool known;	     /* a level was found */
	const char *why_not; /* it has no effect there; NULL: it has */
	int nice, nice_min, nice_max;
};

/**
 * vmadj_guard_nice() - hold a wish against the limits
 *
 * @ret_nice: what may be set; of a wish that is refused or already so the value of now.
 * @ret_why: a constant: why it is refused, or not done as wished; NULL: it is done as wished.
 *
 * Return: whether something is to be done.
 */
bool vmadj_guard_nice(const struct vmadj_guard_cpu *guard, double wish, int *ret_nice,
		      const char **ret_why);
