// SPDX-License-Identifier: GPL-2.0-only
/* alone.c - leave alone what gives trouble, longer each time */
#include "user/virt/alone.h"

bool vmadj_alone_is_past(const struct vmadj_alone *alone, uint64_t now_us)
{
	return !alone->for_us || now_us > alone->until_us + 2 * alone->for_us;
}

void vmadj_alone_leave(struct vmadj_alone *alone, const struct vmadj_alone_times *times,
		       uint64_t now_us, bool wholly)
{
	alone->for_us = vmadj_alone_is_past(alone, now_us) ? times->first_us : alone->for_us * 2;
	if (alone->for_us > times->max_us)
		alone->for_us = times->max_us;
	alone->until_us = now_us + alone->for_us;
	alone->wholly = wholly;
}

bool vmadj_alone_is(const struct vmadj_alone *alone, uint64_t now_us, bool cheap)
{
	return now_us < alone->until_us && (alone->wholly || !cheap);
}
