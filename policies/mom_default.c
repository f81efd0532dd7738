/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mom_default.c - a base line: oVirt MOM's default balloon rules, by their published behaviour
 *
 * Every 15 s, with averages over the last 10 samples (one a period):
 *
 * - free of the host below 20 %: each VM shrinks by 5 % of its size, not below what it uses and
 *   a part of its size that gets smaller with the host: 20 % x free / 20 %. Free below 5 %: that
 *   part is free - 5 %, so that guests are driven into swapping;
 * - else: each VM that has not all grows by 5 %, at least to what it uses and 20 %;
 * - what changes by less than 0.25 % is left.
 *
 * It knows no page cache: what a guest uses is all that is not free. Its minimum for a VM is taken
 * as a bound from below. What "the host's memory" is here, see host_memory.h.
 */
#include "host_memory.h"

#define SAMPLES_MAX 60

/* A mean over the last samples; of what is not known in one of them, nothing is known. */
struct history {
	double sample[SAMPLES_MAX];
	uint32_t n, next;
};

struct row {
	struct memory_vm vm;
	struct history used;
};

struct state {
	double period_s, samples, pressure_pct, critical_pct, free_pct, change_pct, least_pct;
	double next_s;
	uint32_t n_vms; /* of which host_free tells */
	struct history host_free;
	struct memory_vms vms;
};

static double mean_with(struct history *history, double samples, double sample)
{
	uint32_t room = (uint32_t)samples;
	double sum = 0;

	history->next %= room;
	history->sample[history->next++] = sample;
	if (history->n < room)
		history->n++;
	for (uint32_t i = 0; i < history->n; i++)
		sum += history->sample[i];
	return sum / history->n;
}

/* What of its size a guest shall have free, in per cent. */
static double guest_free_pct(const struct state *my, double host_free_pct)
{
	if (host_free_pct >= my->pressure_pct)
		return my->free_pct;
	if (host_free_pct <= my->critical_pct)
		return host_free_pct - my->critical_pct;
	return my->free_pct * host_free_pct / my->pressure_pct;
}

static double size_for(const struct state *my, const struct row *row, double used_bytes,
		       double host_free_pct)
{
	double size = (double)row->vm.now->mem_bytes;
	double need = used_bytes + size * guest_free_pct(my, host_free_pct) / 100;
	bool shrink = host_free_pct < my->pressure_pct;
	double next = size * (1 + (shrink ? -my->change_pct : my->change_pct) / 100);

	next = fmax(next, fmax(need, row->vm.min_bytes));
	/* Under pressure nobody grows, not even to what it needs. */
	return fmin(next, shrink ? size : row->vm.max_bytes);
}

static void wish(const struct state *my, struct row *row, double host_free_pct,
		 struct vmadj_policy_wishes *wishes)
{
	const struct vmadj_policy_vm *vm = row->vm.now;
	double size = (double)vm->mem_bytes;
	double used = mean_with(&row->used, my->samples, size - memory_count(vm->guest_free_bytes));
	double next = size_for(my, row, used, host_free_pct);

	if (isnan(used)) {
		row->used = (struct history){ .n = 0 };
		vmadj_wish_nothing(wishes, vm, "what it uses is not known");
	} else if (fabs(next - size) <= size * my->least_pct / 100) {
		vmadj_wish_nothing(wishes, vm,
				   "the host's free memory is %.1f %%, it uses %.0f of %.0f MiB: "
				   "that is right to %.2f %%",
				   host_free_pct, used / MEMORY_MIB, size / MEMORY_MIB,
				   my->least_pct);
	} else {
		vmadj_wish_memory(wishes, vm, next,
				  "the host's free memory is %.1f %%, %s %.0f %%; it uses %.0f of "
				  "%.0f MiB",
				  host_free_pct,
				  host_free_pct < my->pressure_pct ? "below" : "not below",
				  my->pressure_pct, used / MEMORY_MIB, size / MEMORY_MIB);
	}
}

static void decide(void *state, const struct vmadj_policy_snapshot *now,
		   struct vmadj_policy_wishes *wishes)
{
	struct state *my = state;
	struct host_memory host;
	double free_pct;

	(void)memory_meet(&my->vms, sizeof(struct row), now);
	if (!memory_is_time(now, &my->next_s, my->period_s) ||
	    !host_memory_read(&my->vms, now, &host))
		return;
	/* A VM that comes is no trend. */
	if (my->n_vms != my->vms.n)
		my->host_free.n = my->host_free.next = 0;
	my->n_vms = my->vms.n;
	free_pct = mean_with(&my->host_free, my->samples,
			     100 * (1 - host.used_bytes / host.total_bytes));
	for (uint32_t i = 0; i < my->vms.n; i++)
		wish(my, memory_at(&my->vms, i), free_pct, wishes);
}

#define PLACE(member) offsetof(struct state, member)

static const struct vmadj_policy_param params[] = {
	{ "period", VMADJ_PARAM_SECONDS, PLACE(period_s), 15, 1, 3600, "s",
	  "time between decisions, and between samples" },
	{ "samples", VMADJ_PARAM_INT, PLACE(samples), 10, 1, SAMPLES_MAX, NULL,
	  "how many are averaged" },
	{ "pressure", VMADJ_PARAM_REAL, PLACE(pressure_pct), 20, 1, 99, "%",
	  "VMs shrink when less of the host's memory is free" },
	{ "critical", VMADJ_PARAM_REAL, PLACE(critical_pct), 5, 0, 99, "%",
	  "below this they shrink into what they use" },
	{ "free", VMADJ_PARAM_REAL, PLACE(free_pct), 20, 0, 99, "%",
	  "of its size: what a VM shall have free" },
	{ "change", VMADJ_PARAM_REAL, PLACE(change_pct), 5, 0.1, 50, "%",
	  "of its size: how far a VM goes in a period" },
	{ "least", VMADJ_PARAM_REAL, PLACE(least_pct), 0.25, 0, 50, "%",
	  "of its size: a smaller change is left" },
	{ 0 },
};

const struct vmadj_policy_ops vmadj_policy = {
	VMADJ_POLICY_HEADER,
	.name = "mom_default",
	.summary = "a base line: shrink all while the host runs low, as oVirt's MOM does",
	.knobs = VMADJ_KNOB_MEMORY,
	.params = params,
	.state_size = sizeof(struct state),
	.decide = decide,
};
