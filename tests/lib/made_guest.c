/* SPDX-License-Identifier: GPL-2.0-only */
/* made_guest.c - a made-up guest whose memory is changed, a look a second */
#include "tests/lib/made_guest.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

struct vmadj_made vmadj_made_new(uint64_t used)
{
	const struct vmadj_memory_limits limits = {
		.min_bytes = MADE_MIN,
		.max_bytes = UINT64_MAX,
		.reserve_bytes = MADE_RESERVE,
		.step_bytes = MADE_STEP,
		.period_s = 1,
	};
	struct vmadj_made made = {
		.state = { .running = true, .max_bytes = MADE_MAX },
		.now_s = 1000,
		.used = used,
		.rss = VMADJ_BALLOON_UNSET,
	};

	memset(&made.state.stats, 0xff, sizeof(made.state.stats));
	made.state.stats.actual_bytes = MADE_MAX;
	made.state.stats.last_update_s = 5000;
	made.state.stats.total_bytes = MADE_MAX;
	vmadj_memory_init(&made.memory, &limits);
	return made;
}

uint64_t vmadj_made_actual(const struct vmadj_made *made)
{
	return made->state.stats.actual_bytes;
}

void vmadj_made_look(struct vmadj_made *made)
{
	struct vmadj_balloon_stats *stats = &made->state.stats;

	made->now_s += 1;
	if (!made->silent) {
		stats->last_update_s++;
		stats->available_bytes = vmadj_made_actual(made) > made->used
						 ? vmadj_made_actual(made) - made->used
						 : 0;
	}
	made->next = vmadj_memory_see(&made->memory, made->now_s, &made->state, made->rss,
				      !made->forbidden);
	cr_assert(ne(ptr, (void *)made->next.why, NULL));
	if (made->next.act != VMADJ_MEMORY_SET)
		return;
	vmadj_memory_was_set(&made->memory, made->now_s, made->next.target_bytes);
	if (!made->stuck)
		stats->actual_bytes = made->next.target_bytes;
}

void vmadj_made_looks(struct vmadj_made *made, unsigned int n)
{
	while (n--)
		vmadj_made_look(made);
}

/* Looks until something is set, at most @n times; Return: after how many. */
unsigned int vmadj_made_until_set(struct vmadj_made *made, unsigned int n)
{
	for (unsigned int i = 1; i <= n; i++) {
		vmadj_made_look(made);
		if (made->next.act == VMADJ_MEMORY_SET)
			return i;
	}
	cr_fatal("nothing was set: %s", made->next.why);
}

void vmadj_made_wish(struct vmadj_made *made, uint64_t bytes)
{
	uint64_t aimed;

	if (!made->memory.max_bytes)
		vmadj_made_look(made);
	(void)vmadj_memory_wish(&made->memory, bytes, &aimed);
	cr_assert(ne(u64, aimed, VMADJ_BALLOON_UNSET));
}

/* A guest that uses @used and has been brought down to @to. */
struct vmadj_made vmadj_made_at(uint64_t to, uint64_t used)
{
	struct vmadj_made guest = vmadj_made_new(used);

	vmadj_made_wish(&guest, to);
	vmadj_made_looks(&guest, MADE_LONG_S);
	cr_assert(eq(u64, vmadj_made_actual(&guest), to));
	return guest;
}

void vmadj_made_rests(struct vmadj_made *made, unsigned int n)
{
	while (n--) {
		vmadj_made_look(made);
		cr_assert(eq(int, made->next.act, VMADJ_MEMORY_NOTHING), "%s", made->next.why);
	}
}
