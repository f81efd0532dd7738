/* SPDX-License-Identifier: GPL-2.0-only */
/* guard.c - what of a wish may be done */
#include "user/actuate/guard.h"

#include <math.h>
#include <stddef.h>

#define NICE_MIN (-20)
#define NICE_MAX 19

static const char *refusal(const struct vmadj_guard_cpu *guard, double wish)
{
	if (!guard->managed)
		return "the configuration says manage = no";
	if (guard->paused)
		return "paused; vmadjust-bpf ctl resume goes on";
	if (guard->theirs)
		return "somebody else has changed it; vmadjust-bpf ctl release takes it back";
	if (guard->by_hand)
		return "it was set by hand; vmadjust-bpf ctl release gives it back to the policies";
	if (!guard->known || guard->why_not)
		return guard->why_not ? guard->why_not : "no level was found at which it competes";
	if (!isfinite(wish) || wish != floor(wish))
		return "a nice value is a whole number";
	if (wish < NICE_MIN || wish > NICE_MAX)
		return "a nice value is -20..19";
	return NULL;
}

bool vmadj_guard_nice(const struct vmadj_guard_cpu *guard, double wish, int *ret_nice,
		      const char **ret_why)
{
	*ret_nice = guard->nice;
	*ret_why = refusal(guard, wish);
	if (*ret_why)
		return false;
	if (wish < guard->nice_min) {
		wish = guard->nice_min;
		*ret_why = "nice_min of the configuration";
	} else if (wish > guard->nice_max) {
		wish = guard->nice_max;
		*ret_why = "nice_max of the configuration";
	}
	if ((int)wish == guard->nice) {
		*ret_why = *ret_why ? *ret_why : "it is so already";
		return false;
	}
	*ret_nice = (int)wish;
	return true;
}
