/* SPDX-License-Identifier: GPL-2.0-only */
/* turn.c - from wishes to knobs: what is common to all knobs */
#include "user/daemon/turn.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/actuate/ledger.h"
#include "user/daemon/turn_private.h"
#include "user/snapshot/snapshot.h"
#include "user/util/log.h"

#define FINDS_A_TICK 50 /* of levels at which VMs compete: some 0.1 ms each */

static double now_unix_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static const char *knob_name(uint32_t knob)
{
	return knob == VMADJ_KNOB_CPU ? "cpu" : knob == VMADJ_KNOB_MEMORY ? "memory" : NULL;
}

static void begin(struct vmadj_daemon *daemon, struct vmadj_turning *turning)
{
	const struct vmadj_snap_vm *row = turning->managed->row;
	const struct vmadj_policy_wish *wish = turning->wish;
	struct vmadj_decision *decision = &turning->decision;

	*decision = (struct vmadj_decision){
		.serial = ++daemon->serial,
		.time_unix_s = now_unix_s(),
		.knob = knob_name(wish->knob),
		.wish = wish->knob ? wish->value : (double)NAN,
		.snapshot_s = daemon->snapshot_s,
		.from = NAN,
		.to = NAN,
		.usage_pct = row->cpu.known ? row->cpu.usage_pct : (double)NAN,
		.wait_pct = row->cpu.known ? row->cpu.wait_pct : (double)NAN,
		.snapshot_age_s = vmadj_daemon_now_s() - daemon->snapshot_s,
		.guest_age_s = row->guest.known ? row->guest.age_s : (double)NAN,
		.verdict = VMADJ_VERDICT_NO_WISH,
		.took_ms = NAN,
	};
	(void)snprintf(decision->by, sizeof(decision->by), "%s", turning->wisher->name);
	(void)snprintf(decision->reason, sizeof(decision->reason), "%s", wish->reason);
	if (row->cpu.n_waited) {
		(void)snprintf(decision->waited_for, sizeof(decision->waited_for), "%.47s",
			       row->cpu.waited_for[0].who);
	}
}

void vmadj_turn_record(struct vmadj_turning *turning)
{
	const struct vmadj_decision *decision = &turning->decision;
	struct vmadj_decision *kept;

	kept = vmadj_decisions_add(&turning->managed->decisions, decision);
	/* What is refused tick after tick is said once. */
	if (decision->verdict == VMADJ_VERDICT_NO_WISH || (kept && kept->times > 1))
		return;
	if (decision->verdict == VMADJ_VERDICT_REFUSED) {
		log_info("vm=%s %s wish %.0f refused: %s policy=%s why=\"%s\"",
			 turning->managed->target.name, decision->knob, decision->wish,
			 decision->why, decision->by, decision->reason);
	} else if (decision->verdict == VMADJ_VERDICT_DRY_RUN) {
		log_notice("vm=%s %s %.0f->%.0f would be done (dry run) policy=%s why=\"%s\"",
			   turning->managed->target.name, decision->knob, decision->from,
			   decision->to, decision->by, decision->reason);
	}
}

void vmadj_turn_result(struct vmadj_managed *managed, uint64_t serial, int err, const char *why)
{
	struct vmadj_decision *decision = vmadj_decisions_find(&managed->decisions, serial);

	if (!decision)
		return;
	decision->pending = false;
	decision->err = err;
	(void)snprintf(decision->error, sizeof(decision->error), "%s",
		       !err	     ? ""
		       : why && *why ? why
				     : strerror(-err));
	decision->took_ms = (vmadj_daemon_now_s() - decision->snapshot_s) * 1e3;
	if (err) {
		vmadj_log(err == -ECANCELED ? LOG_INFO : LOG_ERR,
			  "vm=%s %s %.0f->%.0f %s: %s policy=%s", managed->target.name,
			  decision->knob, decision->from, decision->to,
			  err == -ECANCELED ? "ended" : "failed", decision->error, decision->by);
		return;
	}
	log_notice("vm=%s %s %.0f->%.0f policy=%s why=\"%s\"%s%s", managed->target.name,
		   strcmp(decision->knob, "cpu") ? decision->knob : "nice", decision->from,
		   decision->to, decision->by, decision->reason, decision->why ? " limit=" : "",
		   decision->why ? decision->why : "");
}

uint64_t vmadj_turn_own(struct vmadj_managed *managed, uint64_t from_bytes, uint64_t to_bytes,
			const char *reason, const char *limit)
{
	const struct vmadj_wisher wisher = { .name = VMADJ_BY_DAEMON };
	struct vmadj_policy_wish wish = { .knob = VMADJ_KNOB_MEMORY, .value = (double)to_bytes };
	struct vmadj_turning turning = { .managed = managed, .wisher = &wisher, .wish = &wish };

	(void)snprintf(wish.reason, sizeof(wish.reason), "%s", reason);
	begin(managed->daemon, &turning);
	turning.decision.from = (double)from_bytes;
	turning.decision.to = (double)to_bytes;
	turning.decision.pending = true;
	turning.decision.verdict = limit ? VMADJ_VERDICT_CLAMPED : VMADJ_VERDICT_ALLOWED;
	turning.decision.why = limit;
	vmadj_turn_record(&turning);
	return turning.decision.serial;
}

/* Return: whether it waits for the ledger. */
static bool take(struct vmadj_daemon *daemon, struct vmadj_turning *turning)
{
	begin(daemon, turning);
	switch (turning->wish->knob) {
	case VMADJ_KNOB_CPU:
		if (vmadj_turn_cpu_plan(daemon, turning))
			return true;
		break;
	case VMADJ_KNOB_MEMORY:
		vmadj_turn_memory_wish(daemon, turning);
		return false;
	default:
		break;
	}
	vmadj_turn_record(turning);
	return false;
}

static void say_ledger(struct vmadj_daemon *daemon, int err)
{
	if (err && !daemon->ledger_failed) {
		log_err("the ledger in %s cannot be written: %s; nothing is changed until it can",
			daemon->config->state_dir, strerror(-err));
	}
	if (!err && daemon->ledger_failed)
		log_notice("the ledger can be written again");
	daemon->ledger_failed = err != 0;
}

/* All of it is on disk before any of it is done. */
static void carry_out(struct vmadj_daemon *daemon, struct vmadj_turning *turnings, size_t n)
{
	int err = vmadj_ledger_commit(daemon->ledger);

	say_ledger(daemon, err);
	for (size_t i = 0; i < n; i++) {
		if (!err) {
			vmadj_turn_cpu_do(daemon, &turnings[i]);
			continue;
		}
		turnings[i].decision.verdict = VMADJ_VERDICT_REFUSED;
		turnings[i].decision.why = "the ledger cannot be written";
		vmadj_turn_record(&turnings[i]);
	}
}

void vmadj_turn_wishes(struct vmadj_daemon *daemon, const struct vmadj_wisher *wisher,
		       const struct vmadj_policy_wish *wish, size_t n)
{
	struct vmadj_turning *turnings = calloc(n + 1, sizeof(*turnings));
	size_t n_planned = 0;

	if (!turnings) {
		log_err("out of memory: the wishes of policy %s are not looked at", wisher->name);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct vmadj_turning *turning = &turnings[n_planned];

		*turning = (struct vmadj_turning){
			.managed = vmadj_vms_by_id(&daemon->vms, wish[i].vm),
			.wisher = wisher,
			.wish = &wish[i],
		};
		if (!turning->managed) {
			log_info("a wish of policy %s for %s is refused: no such VM is there",
				 wisher->name, wish[i].vm);
			continue;
		}
		if (take(daemon, turning))
			n_planned++;
	}
	if (n_planned)
		carry_out(daemon, turnings, n_planned);
	free(turnings);
}

int vmadj_turn_by_hand(struct vmadj_daemon *daemon, struct vmadj_managed *managed, uint32_t knob,
		       double value, const char **ret_why)
{
	const struct vmadj_wisher wisher = { .name = VMADJ_BY_HAND, .dry_run = daemon->dry_run };
	struct vmadj_policy_wish wish = { .knob = knob, .value = value };
	const struct vmadj_decision *decision;
	uint64_t serial = daemon->serial + 1;

	(void)snprintf(wish.vm, sizeof(wish.vm), "%s", managed->target.id);
	(void)snprintf(wish.reason, sizeof(wish.reason), "set by hand");
	vmadj_turn_wishes(daemon, &wisher, &wish, 1);
	decision = vmadj_decisions_find(&managed->decisions, serial);
	if (!decision)
		return -ENOMEM;
	*ret_why = decision->err ? decision->error : decision->why;
	if (decision->verdict == VMADJ_VERDICT_DRY_RUN)
		*ret_why = "dry run: it would be done";
	if (decision->err)
		return decision->err;
	if (decision->verdict != VMADJ_VERDICT_REFUSED)
		return 0;
	return decision->from == decision->wish ? -EALREADY : -EPERM;
}

void vmadj_turn_fill(struct vmadj_managed *managed, struct vmadj_snap_vm *row)
{
	const struct vmadj_vm_limits *limits = &managed->limits;
	const struct vmadj_managed_cpu *cpu = &managed->cpu;
	const struct vmadj_managed_memory *memory = managed->memory;
	struct vmadj_snap_knobs *knobs = &row->knobs;

	knobs->known = true;
	knobs->managed = limits->manage;
	knobs->priority = (int)limits->priority;
	knobs->nice_min = (int)limits->nice_min;
	knobs->nice_max = (int)limits->nice_max;
	knobs->mem_min_bytes = limits->memory_min_bytes ? limits->memory_min_bytes : UINT64_MAX;
	knobs->mem_max_bytes = limits->memory_max_bytes;
	knobs->mem_weight = (int)limits->memory_weight;
	if (cpu->known && cpu->place.kind != VMADJ_CPU_NONE) {
		knobs->cpu = (struct vmadj_snap_cpu_knob){
			.kind = vmadj_cpu_kind_name(cpu->place.kind),
			.owner = cpu->place.owner,
			.nice = cpu->place.nice,
			.original_nice = cpu->original_nice,
			.effective = cpu->place.effective,
			.why_not = cpu->place.why_not,
		};
	}
	if (memory && memory->balloon && memory->seen_s > 0) {
		const char *why_not = vmadj_memory_why_not(&memory->machine);

		knobs->balloon = (struct vmadj_snap_balloon_knob){
			.kind = vmadj_balloon_kind(memory->balloon),
			.actual_bytes = memory->state.stats.actual_bytes,
			.target_bytes = memory->setting_bytes ? memory->setting_bytes
							      : memory->state.stats.actual_bytes,
			.max_bytes = memory->state.max_bytes,
			.original_bytes = memory->original_bytes,
			.effective = !why_not,
			.why_not = why_not,
			.need = vmadj_memory_in_need(&memory->machine, vmadj_daemon_now_s()),
		};
	}
	vmadj_turn_guest_fill(managed, row);
}

void vmadj_turn_tick(struct vmadj_daemon *daemon)
{
	int err;

	daemon->finds_left = FINDS_A_TICK;
	for (size_t i = 0; i < daemon->vms.n; i++) {
		struct vmadj_managed *managed = daemon->vms.vm[i];

		if (!managed->row || managed->ended)
			continue;
		vmadj_decisions_see(&managed->decisions, managed->row);
		vmadj_turn_guest_tick(managed);
		vmadj_turn_cpu_refresh(daemon, managed, false);
	}
	/* What was found to be somebody else's is forgotten on disk, too. That it works says
	 * nothing: mostly there is nothing to be written. */
	err = vmadj_ledger_commit(daemon->ledger);
	if (err)
		say_ledger(daemon, err);
}

void vmadj_turn_forget(struct vmadj_daemon *daemon, struct vmadj_managed *managed)
{
	int err;

	vmadj_turn_memory_close(managed);
	vmadj_turn_guest_close(managed);
	if (!vmadj_ledger_find(daemon->ledger, managed->target.id, "cpu") &&
	    !vmadj_ledger_find(daemon->ledger, managed->target.id, "memory"))
		return;
	(void)vmadj_ledger_forget(daemon->ledger, managed->target.id, "cpu");
	(void)vmadj_ledger_forget(daemon->ledger, managed->target.id, "memory");
	/* What is not written now goes with the next commit; at worst a start looks for a VM that
	 * is no more. */
	err = vmadj_ledger_commit(daemon->ledger);
	if (err)
		say_ledger(daemon, err);
}

void vmadj_turn_released(struct vmadj_managed *managed, const char *knob)
{
	if (!knob || !strcmp(knob, "cpu")) {
		managed->cpu.use = (struct vmadj_knob_use){ .busy = managed->cpu.use.busy };
		managed->cpu.released = true;
	}
	if (!knob || !strcmp(knob, "memory"))
		vmadj_turn_memory_close(managed);
}
