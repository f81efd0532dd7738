// SPDX-License-Identifier: GPL-2.0-only
/* agent_compare.c - what an agent claims to have read, against what the host has seen read */
#include "user/guest/agent_compare.h"

#include <string.h>

#define PAGE_BYTES    4096
#define CLAIM_FACTOR  4
#define CLAIM_SLACK   (4ULL << 20)
#define HIDDEN_FACTOR 2
#define HIDDEN_SLACK  (16ULL << 20)
#define APART_S	      0.5 /* a window of looks that are closer would be too short */
#define LOOKS_APART   2	  /* of which the host's reads between them are known */

/* Neither overflows: what the host has read in a window is far below 2^61. */
static bool is_far_above(uint64_t bytes, uint64_t other_bytes, uint64_t factor, uint64_t slack)
{
	return bytes > slack && (bytes - slack) / factor > other_bytes;
}

static bool went_back(const struct vmadj_agent_look *from, const struct vmadj_agent_look *to)
{
	return to->now_s < from->now_s || to->host_bytes < from->host_bytes ||
	       to->missed_bytes < from->missed_bytes || to->disk_bytes < from->disk_bytes;
}

/* Between looks @i and @j; see the head of agent_compare.h. */
static const char *judge(const struct vmadj_agent_look *looks, size_t i, size_t j)
{
	uint64_t most = looks[j].host_bytes - looks[i - 1].host_bytes;
	uint64_t least = looks[j - 1].host_bytes - looks[i].host_bytes;
	/* Unknown less unknown is nothing. */
	uint64_t missed = looks[j].missed_bytes - looks[i].missed_bytes;
	uint64_t disk = looks[j].disk_bytes - looks[i].disk_bytes;

	if (is_far_above(missed, most, CLAIM_FACTOR, CLAIM_SLACK))
		return "the agent claims misses that the host saw no reads for";
	if (is_far_above(disk, most, CLAIM_FACTOR, CLAIM_SLACK))
		return "the agent claims reads that the host did not see";
	if (looks[j].disk_bytes != VMADJ_GUEST_UNKNOWN &&
	    is_far_above(least, missed > disk ? missed : disk, HIDDEN_FACTOR, HIDDEN_SLACK))
		return "the host saw reads that the agent does not admit";
	return NULL;
}

static const char *judge_newest(const struct vmadj_agent_compare *compare)
{
	const struct vmadj_agent_look *looks = compare->looks;
	size_t j = compare->n - 1;

	for (size_t i = j; i >= 1; i--) {
		if (j - i >= LOOKS_APART &&
		    looks[j].report_s - looks[i].report_s >= VMADJ_COMPARE_WINDOW_S)
			return judge(looks, i, j);
	}
	return NULL;
}

const char *vmadj_agent_compare_add(struct vmadj_agent_compare *compare, double now_s,
				    uint64_t seen_bytes, const struct vmadj_guest *guest,
				    double report_s)
{
	const struct vmadj_agent_look look = {
		.now_s = now_s,
		.report_s = report_s,
		.host_bytes = seen_bytes,
		.missed_bytes = guest->cache.known ? guest->cache.miss_pages * PAGE_BYTES
						   : VMADJ_GUEST_UNKNOWN,
		.disk_bytes = guest->disk_read_bytes,
	};
	const struct vmadj_agent_look *last = compare->n ? &compare->looks[compare->n - 1] : NULL;

	if (seen_bytes == VMADJ_GUEST_UNKNOWN) {
		compare->n = 0;
		return NULL;
	}
	if (last && went_back(last, &look)) {
		compare->n = 0;
	} else if (last && (report_s <= last->now_s || report_s - last->report_s < APART_S)) {
		return NULL;
	}
	if (compare->n == VMADJ_COMPARE_LOOKS) {
		compare->n--;
		memmove(compare->looks, compare->looks + 1, compare->n * sizeof(look));
	}
	compare->looks[compare->n++] = look;
	return judge_newest(compare);
}
