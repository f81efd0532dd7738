/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loadavg_nice.c - the policy of the peacemaker paper, with its figures as parameters
 *
 * Every interval: when the load of the physical CPUs over 15 minutes is above a limit, the VM with
 * the lowest priority gets a nice value that is a step higher; when it is below another limit, the
 * VM with the highest priority gets one that is a step lower; each within bounds.
 *
 * Where the VM at hand is at its bound, the paper does nothing. With several VMs that would be for
 * good: here the next one in the order of priority moves that still can.
 */
#include <math.h>

#include "policy.h"

struct state {
	double up_pct, down_pct, step, nice_max, nice_min, interval_s;
	double next_s; /* on the daemon's clock */
};

/* +1: nice values go up, -1: down, 0: they stay. */
static int direction_of(const struct state *my, double load_pct)
{
	return (load_pct > my->up_pct) - (load_pct < my->down_pct);
}

/* Where the VM's nice value goes with this step; where it is, at its bound. */
static double next_nice(const struct state *my, const struct vmadj_policy_vm *vm, int direction)
{
	double max = fmin(my->nice_max, vm->nice_max);
	double min = fmax(my->nice_min, vm->nice_min);
	double next = fmin(fmax(vm->nice + direction * my->step, min), max);

	return direction * (next - vm->nice) > 0 ? next : vm->nice;
}

/* As the kernel orders them, below what the administrator said. */
static double priority_of(const struct vmadj_policy_vm *vm)
{
	return vm->priority * 100.0 - vm->nice;
}

/* The VM to move: of the lowest priority when nice values go up, else of the highest. */
static const struct vmadj_policy_vm *choose(const struct state *my,
					    const struct vmadj_policy_snapshot *now, int direction)
{
	const struct vmadj_policy_vm *chosen = NULL;

	for (uint32_t i = 0; i < now->n_vms; i++) {
		const struct vmadj_policy_vm *vm = vmadj_policy_vm_at(now, i);

		if (!(vm->knobs & VMADJ_KNOB_CPU) || next_nice(my, vm, direction) == vm->nice)
			continue;
		if (!chosen || direction * (priority_of(chosen) - priority_of(vm)) > 0)
			chosen = vm;
	}
	return chosen;
}

static void say_why_not(const struct state *my, const struct vmadj_policy_snapshot *now,
			double load_pct, struct vmadj_policy_wishes *wishes)
{
	int direction = direction_of(my, load_pct);

	for (uint32_t i = 0; i < now->n_vms; i++) {
		const struct vmadj_policy_vm *vm = vmadj_policy_vm_at(now, i);

		if (!(vm->knobs & VMADJ_KNOB_CPU))
			continue;
		if (isnan(load_pct)) {
			vmadj_wish_nothing(wishes, vm, "the load of the CPUs is not known");
		} else if (direction == 0) {
			vmadj_wish_nothing(wishes, vm,
					   "load %.0f %% of the CPUs over 15 minutes is within "
					   "%.0f..%.0f %%",
					   load_pct, my->down_pct, my->up_pct);
		} else {
			vmadj_wish_nothing(
				wishes, vm,
				"load %.0f %% of the CPUs over 15 minutes is %s %.0f %%, "
				"but nice %d is at its bound",
				load_pct, direction > 0 ? "above" : "below",
				direction > 0 ? my->up_pct : my->down_pct, vm->nice);
		}
	}
}

static void decide(void *state, const struct vmadj_policy_snapshot *now,
		   struct vmadj_policy_wishes *wishes)
{
	struct state *my = state;
	double load_pct = now->cpus > 0 ? 100 * now->load15 / now->cpus : NAN;
	int direction = direction_of(my, load_pct);
	const struct vmadj_policy_vm *vm;

	/* The nearest snapshot, not the one after it because of a moment. */
	if (now->monotonic_s + now->interval_s / 2 < my->next_s)
		return;
	my->next_s = now->monotonic_s + my->interval_s;
	vm = direction != 0 ? choose(my, now, direction) : NULL;
	if (!vm) {
		say_why_not(my, now, load_pct, wishes);
		return;
	}
	vmadj_wish_nice(
		wishes, vm, next_nice(my, vm, direction),
		"load %.0f %% of the CPUs over 15 minutes is %s %.0f %%, and its priority the "
		"%s of those that can move: nice %d -> %.0f",
		load_pct, direction > 0 ? "above" : "below",
		direction > 0 ? my->up_pct : my->down_pct, direction > 0 ? "lowest" : "highest",
		vm->nice, next_nice(my, vm, direction));
}

#define PLACE(member) offsetof(struct state, member)

static const struct vmadj_policy_param params[] = {
	{ "up", VMADJ_PARAM_REAL, PLACE(up_pct), 90, 0, 10000, "%",
	  "above this load nice values go up" },
	{ "down", VMADJ_PARAM_REAL, PLACE(down_pct), 10, 0, 10000, "%",
	  "below this load they go down" },
	{ "step", VMADJ_PARAM_INT, PLACE(step), 1, 1, 39, NULL, "by how much in an interval" },
	{ "nice_max", VMADJ_PARAM_INT, PLACE(nice_max), 15, -20, 19, NULL, "not above this" },
	{ "nice_min", VMADJ_PARAM_INT, PLACE(nice_min), -15, -20, 19, NULL, "not below this" },
	{ "every", VMADJ_PARAM_SECONDS, PLACE(interval_s), 60, 1, 86400, "s",
	  "time between two decisions" },
	{ 0 },
};

const struct vmadj_policy_ops vmadj_policy = {
	VMADJ_POLICY_HEADER,
	.name = "loadavg_nice",
	.summary = "more for all VMs while the CPUs are idle, less for the least important while "
		   "they are not",
	.knobs = VMADJ_KNOB_CPU,
	.params = params,
	.state_size = sizeof(struct state),
	.decide = decide,
};
