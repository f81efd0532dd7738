/* SPDX-License-Identifier: GPL-2.0-only */
/* restore_memory.c - put a VM's balloon back, as far as its guest can bear it */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "user/actuate/memory_value.h"
#include "user/actuate/restore_private.h"

#define SLACK_BYTES   (4ULL << 20) /* a balloon at rest is not exactly at its target */
#define RESERVE_BYTES (64ULL << 20)
#define FRESH_S	      10

static void end(struct vmadj_restore_job *job, int err, const char *why)
{
	if (err) {
		vmadj_restore_fail(job, err, vmadj_balloon_why(job->balloon));
	} else {
		vmadj_restore_end(job, job->theirs ? VMADJ_RESTORE_THEIRS : VMADJ_RESTORE_DONE,
				  why);
	}
}

static void on_period_set(void *userdata, int err)
{
	end(userdata, err, NULL);
}

static void put_period(struct vmadj_restore_job *job)
{
	struct vmadj_memory_value original, ours;
	int err;

	if (!vmadj_memory_value_parse(job->entry.original, &original) ||
	    !vmadj_memory_value_parse(job->entry.ours, &ours) ||
	    original.period_s == ours.period_s) {
		end(job, 0, NULL);
		return;
	}
	err = vmadj_balloon_set_period(job->balloon, original.period_s, on_period_set, job);
	if (err)
		end(job, err, NULL);
}

static void on_set(void *userdata, int err)
{
	struct vmadj_restore_job *job = userdata;

	if (err) {
		end(job, err, NULL);
	} else {
		put_period(job);
	}
}

/* On its way from one of our values to another it is ours. */
static bool is_theirs(const struct vmadj_ledger_entry *entry, uint64_t actual_bytes)
{
	const char *texts[] = { entry->original, entry->ours, entry->before };
	uint64_t low = UINT64_MAX, high = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct vmadj_memory_value value;

		if (!vmadj_memory_value_parse(texts[i], &value))
			continue;
		low = value.bytes < low ? value.bytes : low;
		high = value.bytes > high ? value.bytes : high;
	}
	return actual_bytes + SLACK_BYTES < low || actual_bytes > high + SLACK_BYTES;
}

/*
 * Giving back is always safe. Taking back what was given, only as far as fresh statistics say
 * that the guest does not use it; without them it stays.
 */
static uint64_t bearable(const struct vmadj_balloon_stats *stats, uint64_t original_bytes)
{
	uint64_t need;

	if (original_bytes >= stats->actual_bytes)
		return original_bytes;
	if (stats->available_bytes > stats->actual_bytes || !stats->last_update_s ||
	    stats->last_update_s == VMADJ_BALLOON_UNSET ||
	    (uint64_t)time(NULL) > stats->last_update_s + FRESH_S)
		return stats->actual_bytes;
	need = stats->actual_bytes - stats->available_bytes + RESERVE_BYTES;
	if (need >= stats->actual_bytes)
		return stats->actual_bytes;
	return need > original_bytes ? need : original_bytes;
}

static void on_seen(void *userdata, int err, const struct vmadj_balloon_state *state)
{
	struct vmadj_restore_job *job = userdata;
	struct vmadj_memory_value original;
	uint64_t target;

	if (!err && state->stats.actual_bytes == VMADJ_BALLOON_UNSET)
		err = -EPROTO;
	if (!err && !vmadj_memory_value_parse(job->entry.original, &original))
		err = -EINVAL;
	if (err) {
		end(job, err, NULL);
		return;
	}
	/* The statistics' period is ours to put back in any case. */
	job->theirs = is_theirs(&job->entry, state->stats.actual_bytes);
	if (job->theirs) {
		put_period(job);
		return;
	}
	target = bearable(&state->stats, original.bytes);
	if (target == state->stats.actual_bytes) {
		put_period(job);
		return;
	}
	err = vmadj_balloon_set(job->balloon, target, on_set, job);
	if (err)
		end(job, err, NULL);
}

void vmadj_restore_memory(struct vmadj_restore_job *job)
{
	const struct vmadj_restore_tools *tools = vmadj_restore_tools_of(job);
	const char *why = NULL;
	int err;

	vmadj_balloon_close(job->balloon); /* of the try before */
	job->balloon = NULL;
	err = vmadj_balloon_open(tools->event, tools->libvirt, &job->entry.vm, &job->balloon, &why);
	if (!err)
		err = vmadj_balloon_look(job->balloon, on_seen, job);
	if (err)
		vmadj_restore_fail(job, err, why);
}
