/* SPDX-License-Identifier: GPL-2.0-only */
/* turn_memory.c - a VM's memory: look at its balloon, ask the machine, do one step */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/actuate/ledger.h"
#include "user/actuate/memory_value.h"
#include "user/daemon/turn_private.h"
#include "user/guest/balloon.h"
#include "user/snapshot/snapshot.h"
#include "user/util/file.h"
#include "user/util/log.h"
#include "user/util/scan.h"

#define PERIOD_S    1 /* between two statistics of the guest, and two looks of ours */
#define LOOK_S	    0.9
#define RETRY_S	    30
#define STILL_S	    10		 /* without a step: this is how far it goes */
#define SLACK_BYTES (4ULL << 20) /* a balloon at rest is not exactly at its target */

static bool is_dry(const struct vmadj_managed_memory *memory)
{
	const struct vmadj_daemon *daemon = memory->managed->daemon;

	return daemon->dry_run ||
	       (!*memory->use.by && !vmadj_policies_armed(&daemon->policies, VMADJ_KNOB_MEMORY));
}

static uint64_t rss_bytes(pid_t pid)
{
	char path[32], text[128];
	const char *at = text;
	uint64_t size, resident;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
	    !vmadj_scan_u64(&at, &size) || !vmadj_scan_u64(&at, &resident))
		return VMADJ_BALLOON_UNSET;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* --- begin and end ------------------------------------------------------ */

static void open_balloon(struct vmadj_managed_memory *memory)
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
	open_balloon(memory);
	return memory;
}

void vmadj_turn_memory_close(struct vmadj_managed *managed)
{
	if (!managed->memory)
		return;
	vmadj_balloon_close(managed->memory->balloon);
	free(managed->memory);
	managed->memory = NULL;
	managed->guest = (struct vmadj_guest){ 0 };
}

void vmadj_turn_memory_limit(struct vmadj_managed *managed)
{
	struct vmadj_memory_limits limits = limits_of(managed);

	if (managed->memory)
		vmadj_memory_limit(&managed->memory->machine, &limits);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* --- one step ----------------------------------------------------------- */

/* Writes down what the balloon is about to be set to. */
static int note(struct vmadj_managed_memory *memory, uint64_t bytes)
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

void vmadj_turn_memory_finish(struct vmadj_managed_memory *memory, int err, const char *why)
{
	if (!memory->use.serial)
		return;
	vmadj_turn_result(memory->managed, memory->use.serial, err, why);
	memory->use.serial = 0;
}

static void on_set(void *userdata, int err)
{
	struct vmadj_managed_memory *memory = userdata;

	memory->use.busy = false;
	if (err) {
		vmadj_turn_memory_finish(memory, err, NULL);
		return;
	}
	memory->reached = false;
	vmadj_memory_was_set(&memory->machine, vmadj_daemon_now_s(), memory->setting_bytes);
}

static void set(struct vmadj_managed_memory *memory, const struct vmadj_memory_next *next)
{
	int err = note(memory, next->target_bytes);

	if (!err) {
		log_info("vm=%s memory %llu->%llu MiB: %s", memory->managed->target.name,
			 (unsigned long long)memory->state.stats.actual_bytes >> 20,
			 (unsigned long long)next->target_bytes >> 20, next->why);
		memory->setting_bytes = next->target_bytes;
		err = vmadj_balloon_set(memory->balloon, next->target_bytes, on_set, memory);
	}
	memory->use.busy = !err;
	if (err)
		vmadj_turn_memory_finish(memory, err, NULL);
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

/* It had arrived where we wanted it and has left again, without us: somebody else moves it. */
static bool is_theirs(struct vmadj_managed_memory *memory)
{
	uint64_t away = distance(memory->state.stats.actual_bytes, memory->setting_bytes);

	if (!memory->setting_bytes || memory->use.theirs)
		return memory->use.theirs;
	if (away <= SLACK_BYTES)
		memory->reached = true;
	memory->use.theirs = memory->reached && away > 2 * SLACK_BYTES;
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

/* Before anything of it is changed, the statistics' period included. */
static void first_look(struct vmadj_managed_memory *memory)
{
	int err;

	memory->original_bytes = memory->state.stats.actual_bytes;
	memory->original_period_s = memory->state.period_s;
	err = note(memory, memory->original_bytes);
	if (!err)
		err = vmadj_balloon_set_period(memory->balloon, PERIOD_S, on_period_set, memory);
	memory->use.busy = !err;
	if (err)
		memory->why_not = "the ledger cannot be written";
}

static unsigned int in_motion(const struct vmadj_daemon *daemon)
{
	unsigned int n = 0;

	for (size_t i = 0; i < daemon->vms.n; i++) {
		const struct vmadj_managed_memory *memory = daemon->vms.vm[i]->memory;

		n += memory && vmadj_memory_in_motion(&memory->machine);
	}
	return n;
}

static void step(struct vmadj_managed_memory *memory, const struct vmadj_balloon_state *seen)
{
	struct vmadj_managed *managed = memory->managed;
	struct vmadj_daemon *daemon = managed->daemon;
	struct vmadj_memory_next next;
	bool may_shrink = vmadj_memory_in_motion(&memory->machine) ||
			  in_motion(daemon) < daemon->config->memory_in_motion_vms;

	next = vmadj_memory_see(&memory->machine, vmadj_daemon_now_s(), seen,
				rss_bytes(managed->target.pid), may_shrink);
	if (seen && memory->waiting) {
		(void)vmadj_memory_wish(&memory->machine, memory->goal_bytes, &memory->goal_bytes);
		memory->waiting = false;
	} else if (next.act == VMADJ_MEMORY_SET && memory->noted && !is_dry(memory)) {
		memory->still_s = vmadj_daemon_now_s();
		set(memory, &next);
	} else if (seen && distance(seen->stats.actual_bytes, memory->goal_bytes) <= SLACK_BYTES) {
		vmadj_turn_memory_finish(memory, 0, NULL);
	} else if (vmadj_daemon_now_s() > memory->still_s + STILL_S) {
		vmadj_turn_memory_finish(memory, -ECANCELED, next.why);
	}
}

static void on_seen(void *userdata, int err, const struct vmadj_balloon_state *state)
{
	struct vmadj_managed_memory *memory = userdata;
	struct vmadj_managed *managed = memory->managed;
	struct timespec now;

	memory->use.busy = false;
	if (err || state->stats.actual_bytes == VMADJ_BALLOON_UNSET) {
		memory->why_not = "its balloon does not answer";
		step(memory, NULL);
		return;
	}
	memory->why_not = NULL;
	memory->state = *state;
	memory->seen_s = vmadj_daemon_now_s();
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (!vmadj_guest_from_balloon(&state->stats, state->max_bytes,
				      (double)now.tv_sec + (double)now.tv_nsec / 1e9,
				      &managed->guest))
		managed->guest = (struct vmadj_guest){ 0 };
	if (!memory->noted && !is_dry(memory))
		first_look(memory);
	if (!is_theirs(memory))
		step(memory, state);
}

static void look(struct vmadj_managed_memory *memory)
{
	double now_s = vmadj_daemon_now_s();
	int err;

	if (!memory->balloon) {
		if (now_s >= memory->retry_s)
			open_balloon(memory);
		return;
	}
	if (memory->use.busy || (memory->seen_s > 0 && now_s < memory->seen_s + LOOK_S))
		return;
	err = vmadj_balloon_look(memory->balloon, on_seen, memory);
	memory->use.busy = !err;
	if (err && memory->noted)
		step(memory, NULL);
}

void vmadj_turn_memory_tick(struct vmadj_daemon *daemon)
{
	bool wanted = vmadj_policies_want(&daemon->policies, VMADJ_KNOB_MEMORY);

	for (size_t i = 0; i < daemon->vms.n; i++) {
		struct vmadj_managed *managed = daemon->vms.vm[i];

		if (!managed->row || managed->ended)
			continue;
		if (!managed->memory && wanted && managed->limits.manage)
			(void)vmadj_turn_memory_start(managed);
		if (managed->memory)
			look(managed->memory);
	}
}
