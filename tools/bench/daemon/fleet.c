// SPDX-License-Identifier: GPL-2.0-only
/* fleet.c - many VMs, and the configuration of a daemon that has a policy for them alone */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bench/daemon/daemon.h"
#include "tools/bench/served.h"

#define TICKING_IN 10 /* one VM of so many wakes ten times a second; the others sleep */

const struct vmadj_bench_policy vmadj_bench_looks_at_all = {
	.path = "tools/bench/policies/looks_at_all",
	.name = "looks_at_all",
	.params = "turned = 10\n",
	.interval = "1s",
};

/* Others may run the same benchmark: their VMs have their process's number. */
void vmadj_bench_fleet_name(char name[VMADJ_BENCH_NAME_MAX])
{
	(void)snprintf(name, VMADJ_BENCH_NAME_MAX, "bench-%d", (int)getpid());
}

static int by_pid(const void *a, const void *b)
{
	pid_t x = vmadj_lab_vm_pid(*(struct vmadj_lab_vm *const *)a);
	pid_t y = vmadj_lab_vm_pid(*(struct vmadj_lab_vm *const *)b);

	return (x > y) - (x < y);
}

int vmadj_bench_fleet_start(struct vmadj_bench *bench, size_t n,
			    struct vmadj_bench_fleet *ret_fleet)
{
	char name[VMADJ_BENCH_NAME_MAX];
	struct vmadj_lab_kvm ticking = { .name = name, .load = "tick:100", .own_session = true };
	struct vmadj_lab_kvm idle = { .name = name, .own_session = true };
	size_t n_ticking = n / TICKING_IN;
	int err;

	vmadj_bench_fleet_name(name);
	memset(ret_fleet, 0, sizeof(*ret_fleet));
	ret_fleet->n = n;
	err = vmadj_lab_kvm_start_many(&ticking, ret_fleet->vm, n_ticking);
	if (!err)
		err = vmadj_lab_kvm_start_many(&idle, ret_fleet->vm + n_ticking, n - n_ticking);
	if (err) {
		vmadj_bench_fleet_stop(ret_fleet);
		return vmadj_bench_fail(bench, err, "%s", vmadj_lab_why());
	}
	/* Process ids begin anew at their end. */
	qsort(ret_fleet->vm, n, sizeof(ret_fleet->vm[0]), by_pid);
	return 0;
}

void vmadj_bench_fleet_stop(struct vmadj_bench_fleet *fleet)
{
	vmadj_lab_stop_many(fleet->vm, fleet->n);
	fleet->n = 0;
}

int vmadj_bench_fleet_config(const struct vmadj_bench_policy *policy,
			     char ret_config[VMADJ_BENCH_CONFIG_MAX])
{
	char file[512], name[VMADJ_BENCH_NAME_MAX];
	int err = vmadj_bench_served_policy(policy->path, file, sizeof(file));

	vmadj_bench_fleet_name(name);
	if (!err) {
		(void)snprintf(ret_config, VMADJ_BENCH_CONFIG_MAX,
			       "interval = %s\n"
			       "[policy %s]\narmed = yes\nfile = %s\ndeadline = 1s\n%s"
			       "[vm *]\nmanage = no\n[vm %s]\nmanage = yes\n",
			       policy->interval, policy->name, file, policy->params, name);
	}
	return err;
}
