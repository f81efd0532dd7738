/* SPDX-License-Identifier: GPL-2.0-only */
/* turn_memory_hold.c - a VM's balloon: taken in hand, written down, and let go */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/actuate/ledger.h"
#include "user/actuate/memory_value.h"
#include "user/daemon/turn_private.h"
#include "user/snapshot/snapshot.h"
#include "user/util/log.h"

#define PERIOD_S 1 /* between two statistics of the guest */
#define RETRY_S	 30

bool vmadj_turn_memory_is_dry(const struct vmadj_managed_memory *memory)
{
	const struct vmadj_daemon *daemon = memory->managed->daemon;

	return daemon->dry_run ||
	       (!*memory->use.by && !vmadj_policies_armed(&daemon->policies, VMADJ_KNOB_MEMORY));
}

void vmadj_turn_memory_open(struct vmadj_managed_memory *memory)
{
	struct vmadj_managed *managed = memory->managed;
	struct vmadj_daemon *daemon = managed->daemon;

	memory->retry_s = vmadj_daemon_now_s() + RETRY_S;
	memory->why_not = vmadj_balloon_forbidden(managed->target.pid);
	if (memory->why_not)
		return;
	(void)vmadj_balloon_open(daemon->event, daemon->libvirt, &managed->target, &memory->balloon,
				 &memory->why_not);
}

static struct vmadj_memory_limits limits_of(const struct vmadj_managed *managed)
{
	return (struct vmadj_memory_limits){
		.min_bytes = managed->limits.memory_min_bytes,
		.max_bytes = managed->limits.memory_max_bytes,
		.reserve_bytes = managed->limits.memory_reserve_bytes,
		.step_bytes = managed->daemon->config->memory_step_bytes,
		.period_s = PERIOD_S,
		.keep_s = managed->limits.memory_keep_s,
	};
}

struct vmadj_managed_memory *vmadj_turn_memory_start(struct vmadj_managed *managed)
{
	struct vmadj_managed_memory *memory = calloc(1, sizeof(*memory));
	struct vmadj_memory_limits limits = limits_of(managed);

	if (!memory)
		return NULL;
	memory->managed = managed;
	vmadj_memory_init(&memory->machine, &limits);
	managed->memory = memory;
	vmadj_turn_memory_open(memory);
	return memory;
}

void vmadj_turn_memory_close(struct vmadj_managed *managed)
{
	if (!managed->memory)
		return;
	vmadj_balloon_close(managed->memory->balloon);
	free(managed->memory);
	managed->memory = NULL;
	vmadj_turn_guest_balloon(managed, NULL);
}

void vmadj_turn_memory_limit(struct vmadj_managed *managed)
{
	struct vmadj_memory_limits limits = limits_of(managed);

	if (managed->memory)
		vmadj_memory_limit(&managed->memory->machine, &limits);
}

int vmadj_turn_memory_note(struct vmadj_managed_memory *memory, uint64_t bytes)
{
	struct vmadj_daemon *daemon = memory->managed->daemon;
	const struct vmadj_memory_value original = { memory->original_bytes,
						     memory->original_period_s };
	const struct vmadj_memory_value ours = { bytes, PERIOD_S };
	const struct vmadj_memory_value before = { memory->state.stats.actual_bytes, PERIOD_S };
	char original_text[VMADJ_MEMORY_VALUE_MAX], ours_text[VMADJ_MEMORY_VALUE_MAX];
	char before_text[VMADJ_MEMORY_VALUE_MAX];
	const char *by = vmadj_policies_armed(&daemon->policies, VMADJ_KNOB_MEMORY);
	const struct vmadj_ledger_entry entry = {
		.vm = memory->managed->target,
		.knob = "memory",
		.kind = (char *)vmadj_balloon_kind(memory->balloon),
		.owner = "",
		.group = "",
		.unit = "",
		.by = *memory->use.by ? memory->use.by : (char *)(by ? by : VMADJ_BY_HAND),
		.original = original_text,
		.ours = ours_text,
		.before = before_text,
	};
	int err;

	vmadj_memory_value_text(original, original_text);
	vmadj_memory_value_text(ours, ours_text);
	vmadj_memory_value_text(before, before_text);
	err = vmadj_ledger_note(daemon->ledger, &entry);
	return err ? err : vmadj_ledger_commit(daemon->ledger);
}

static void on_period_back(void *userdata, int err)
{
	struct vmadj_managed_memory *memory = userdata;

	memory->use.busy = false;
	if (err) {
		log_warning("vm=%s: how often its guest tells statistics cannot be put back: %s",
			    memory->managed->target.name, strerror(-err));
	}
}

bool vmadj_turn_memory_is_theirs(struct vmadj_managed_memory *memory)
{
	uint64_t away =
		vmadj_turn_memory_distance(memory->state.stats.actual_bytes, memory->setting_bytes);

	if (!memory->setting_bytes || memory->use.theirs)
		return memory->use.theirs;
	if (away <= VMADJ_MEMORY_SLACK)
		memory->reached = true;
	memory->use.theirs = memory->reached && away > 2 * VMADJ_MEMORY_SLACK;
	if (memory->use.theirs) {
		struct vmadj_managed *managed = memory->managed;

		log_notice("vm=%s memory is %llu MiB, not %llu as we left it: somebody else has "
			   "changed it, it is theirs (vmadjust-bpf ctl release %s takes it back)",
			   managed->target.name,
			   (unsigned long long)memory->state.stats.actual_bytes >> 20,
			   (unsigned long long)memory->setting_bytes >> 20, managed->target.name);
		(void)vmadj_ledger_forget(managed->daemon->ledger, managed->target.id, "memory");
		vmadj_turn_memory_finish(memory, -ECANCELED, "somebody else has changed it");
		/* The statistics' period is still ours to put back. */
		memory->use.busy = !vmadj_balloon_set_period(
			memory->balloon, memory->original_period_s, on_period_back, memory);
	}
	return memory->use.theirs;
}

static void on_period_set(void *userdata, int err)
{
	struct vmadj_managed_memory *memory = userdata;

	memory->use.busy = false;
	memory->noted = !err;
	if (err)
		memory->why_not = "the guest cannot be asked for statistics";
}

void vmadj_turn_memory_first_look(struct vmadj_managed_memory *memory)
{
	int err;

	memory->original_bytes = memory->state.stats.actual_bytes;
	memory->original_period_s = memory->state.period_s;
	err = vmadj_turn_memory_note(memory, memory->original_bytes);
	if (!err)
		err = vmadj_balloon_set_period(memory->balloon, PERIOD_S, on_period_set, memory);
	memory->use.busy = !err;
	if (err)
		memory->why_not = "the ledger cannot be written";
}
