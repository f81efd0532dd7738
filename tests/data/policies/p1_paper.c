/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * p1_paper.c - the policy that the peacemaker paper describes, as its author would have written it
 *
 * Changed for this program: the include line, the call that waits for the interval, and the line
 * at the end that names the policy.
 */
#include "peacemaker.h"

#define INTERVAL   60
#define UPPER_LOAD 90
#define LOWER_LOAD 10
#define MAX_NICE   15
#define MIN_NICE   (-15)

static void policy(void)
{
	struct cpu_loadavg loadavg;
	struct kvm_list *kvm;
	long nice;

	while (get_nr_kvms() > 0) {
		get_physical_cpus_loadavg(&loadavg);
		if (loadavg.avg15 > UPPER_LOAD) {
			kvm = get_min_kvms_prio();
			nice = get_kvm_nice(kvm->task);
			if (nice < MAX_NICE)
				set_kvm_nice(kvm->task, nice + 1);
		} else if (loadavg.avg15 < LOWER_LOAD) {
			kvm = get_max_kvms_prio();
			nice = get_kvm_nice(kvm->task);
			if (nice > MIN_NICE)
				set_kvm_nice(kvm->task, nice - 1);
		}
		peacemaker_sleep(INTERVAL);
	}
}

PEACEMAKER_POLICY(p1_paper, "the paper's own policy", policy);
