/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * alone.h - leave alone what gives trouble, longer each time
 *
 * Units: microseconds of one monotonic clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Zeroes: no trouble. */
struct vmadj_alone {
	uint64_t until_us, for_us;
	bool wholly; /* cheap questions, too */
};

struct vmadj_alone_times {
	uint64_t first_us, max_us;
};

/* Twice as long as the last time, unless that is long ago. */
void vmadj_alone_leave(struct vmadj_alone *alone, const struct vmadj_alone_times *times,
		       uint64_t now_us, bool wholly);

/* Whether it is left alone now, and with @cheap: even with what is cheap. */
bool vmadj_alone_is(const struct vmadj_alone *alone, uint64_t now_us, bool cheap);

/* Whether the last trouble is so long ago that it may be forgotten. */
bool vmadj_alone_is_past(const struct vmadj_alone *alone, uint64_t now_us);
