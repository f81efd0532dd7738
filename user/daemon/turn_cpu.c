/* SPDX-License-Identifier: GPL-2.0-only */
/* turn_cpu.c - a VM's CPU share: from the wish to the level at which it competes */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/actuate/guard.h"
#include "user/actuate/ledger.h"
#include "user/daemon/turn_private.h"
#include "user/snapshot/snapshot.h"
#include "user/util/log.h"

/*
 * A level changes when somebody moves the VM: rarely, and whoever is to be turned is looked at just
 * before. To look takes some 0.2 ms. What we turned is looked at sooner.
 */
#define REFRESH_S	 240
#define REFRESH_TURNED_S 5

/* Somebody else has set it: it is theirs from now on, and what it was before is nothing to us. */
static void step_back(struct vmadj_daemon *daemon, struct vmadj_managed *managed)
{
	const struct vmadj_ledger_entry *entry =
		vmadj_ledger_find(daemon->ledger, managed->target.id, "cpu");

	if (!entry || managed->cpu.use.busy ||
	    !vmadj_ledger_is_theirs(entry, managed->cpu.place.value))
		return;
	log_notice("vm=%s cpu is %s, not %s as we left it: somebody else has changed it, it is "
		   "theirs (vmadjust-bpf ctl release %s takes it back)",
		   managed->target.name, managed->cpu.place.value, entry->ours,
		   managed->target.name);
	managed->cpu.use.theirs = true;
	*managed->cpu.use.by = '\0';
	(void)vmadj_ledger_forget(daemon->ledger, managed->target.id, "cpu");
}

void vmadj_turn_cpu_refresh(struct vmadj_daemon *daemon, struct vmadj_managed *managed, bool now)
{
	struct vmadj_managed_cpu *cpu = &managed->cpu;
	double now_s = vmadj_daemon_now_s();
	bool turned = *cpu->use.by;

	if (!now && (now_s < cpu->due_s ||
		     !(turned || vmadj_policies_want(&daemon->policies, VMADJ_KNOB_CPU))))
		return;
	/* A thousand VMs that are there at the start are not all looked at in one tick. */
	if (!now && !turned && !daemon->finds_left)
		return;
	daemon->finds_left -= !now && !turned;
	cpu->due_s = now_s + (turned ? REFRESH_TURNED_S : REFRESH_S + managed->target.pid % 60);
	if (turned) {
		(void)vmadj_cpu_read(daemon->cpu, &managed->target, &cpu->place);
	} else if (vmadj_cpu_find(daemon->cpu, &managed->target, &cpu->place)) {
		cpu->place.kind = VMADJ_CPU_NONE;
	}
	cpu->known = true;
	if (turned) {
		step_back(daemon, managed);
	} else {
		cpu->original_nice = cpu->place.nice;
	}
}

static bool guarded(struct vmadj_daemon *daemon, struct vmadj_turning *turning)
{
	const struct vmadj_managed *managed = turning->managed;
	const struct vmadj_managed_cpu *cpu = &managed->cpu;
	bool by_hand = !strcmp(turning->wisher->name, VMADJ_BY_HAND);
	const struct vmadj_guard_cpu guard = {
		.managed = managed->limits.manage,
		.paused = daemon->paused && !by_hand,
		.theirs = cpu->use.theirs,
		.by_hand = !by_hand && !strcmp(cpu->use.by, VMADJ_BY_HAND),
		.known = cpu->known && cpu->place.kind != VMADJ_CPU_NONE,
		.why_not = cpu->place.why_not,
		.nice = cpu->place.nice,
		.nice_min = (int)managed->limits.nice_min,
		.nice_max = (int)managed->limits.nice_max,
	};
	struct vmadj_decision *decision = &turning->decision;
	bool go;

	go = vmadj_guard_nice(&guard, turning->wish->value, &turning->nice, &decision->why);
	decision->from = cpu->place.nice;
	decision->to = turning->nice;
	if (!go) {
		decision->verdict = VMADJ_VERDICT_REFUSED;
	} else if (turning->wisher->dry_run) {
		decision->verdict = VMADJ_VERDICT_DRY_RUN;
	} else {
		decision->verdict = decision->why ? VMADJ_VERDICT_CLAMPED : VMADJ_VERDICT_ALLOWED;
	}
	return go;
}

static int note(struct vmadj_daemon *daemon, struct vmadj_turning *turning)
{
	const struct vmadj_cpu_place *place = &turning->managed->cpu.place;
	char ours[VMADJ_CPU_VALUE_MAX];
	const struct vmadj_ledger_entry entry = {
		.vm = turning->managed->target,
		.knob = "cpu",
		.kind = (char *)vmadj_cpu_kind_name(place->kind),
		.owner = (char *)(place->owner ? place->owner : ""),
		.group = (char *)place->group,
		.unit = (char *)place->unit,
		.by = (char *)turning->wisher->name,
		.original = (char *)place->value,
		.ours = ours,
		.before = (char *)place->value,
	};

	vmadj_cpu_value_of(place, turning->nice, ours);
	return vmadj_ledger_note(daemon->ledger, &entry);
}

/* Two changes of one knob at once end with whichever comes last, and the ledger with the other. */
static const char *obstacle(const struct vmadj_daemon *daemon, const struct vmadj_managed *managed)
{
	if (managed->cpu.use.busy)
		return "the change before is still under way";
	if (daemon->restoring && !*managed->cpu.use.by &&
	    vmadj_ledger_find(daemon->ledger, managed->target.id, "cpu"))
		return "what was changed before is being put back";
	return NULL;
}

bool vmadj_turn_cpu_plan(struct vmadj_daemon *daemon, struct vmadj_turning *turning)
{
	struct vmadj_managed *managed = turning->managed;
	struct vmadj_decision *decision = &turning->decision;
	const char *why;

	if (!managed->cpu.known)
		vmadj_turn_cpu_refresh(daemon, managed, true);
	if (!guarded(daemon, turning))
		return false;
	/* Only what is to be changed is looked at just before. */
	vmadj_turn_cpu_refresh(daemon, managed, true);
	if (!guarded(daemon, turning) || turning->wisher->dry_run)
		return false;
	why = obstacle(daemon, managed);
	if (!why && note(daemon, turning))
		why = "out of memory";
	if (!why)
		return true;
	decision->verdict = VMADJ_VERDICT_REFUSED;
	decision->why = why;
	return false;
}

static void on_done(void *userdata, int err, const char *why)
{
	struct vmadj_managed *managed = userdata;

	managed->cpu.use.busy = false;
	managed->cpu.due_s = 0;
	if (!managed->ended)
		(void)vmadj_cpu_read(managed->daemon->cpu, &managed->target, &managed->cpu.place);
	vmadj_turn_result(managed, managed->cpu.use.serial, err, why);
}

void vmadj_turn_cpu_do(struct vmadj_daemon *daemon, struct vmadj_turning *turning)
{
	struct vmadj_managed *managed = turning->managed;
	struct vmadj_knob_use *use = &managed->cpu.use;
	int err;

	turning->decision.pending = true;
	vmadj_turn_record(turning);
	use->busy = true;
	use->serial = turning->decision.serial;
	(void)snprintf(use->by, sizeof(use->by), "%s", turning->wisher->name);
	err = vmadj_cpu_set(daemon->cpu, &managed->target, &managed->cpu.place, turning->nice,
			    on_done, managed);
	if (err != -EINPROGRESS)
		on_done(managed, err, vmadj_cpu_why(daemon->cpu));
}
