// SPDX-License-Identifier: GPL-2.0-only
/* test_cpu_share.c - two busy VMs on one CPU get the shares that nice values mean */
#include <cap-ng.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/cgroup.h"
#include "tests/lib/share.h"
#include "tests/lib/world.h"
#include "user/actuate/cpu.h"
#include "user/util/process.h"

TestSuite(cpu_share, .timeout = 240, .fini = vmadj_cgroup_remove_all);

struct pair {
	struct vmadj_lab_vm *vm[2];
	struct vmadj_target target[2];
	struct vmadj_cpu *cpu;
	sd_event *event;
	struct vmadj_cpu_place place; /* of the first VM, which is turned */
};

static void pair_end(struct pair *pair)
{
	vmadj_lab_vm_stop(pair->vm[0]);
	vmadj_lab_vm_stop(pair->vm[1]);
	vmadj_cpu_free(pair->cpu);
	(void)sd_event_unref(pair->event);
}

#define _cleanup_pair_ __attribute__((cleanup(pair_end)))

static struct vmadj_lab_kvm busy(const char *cgroup)
{
	return (struct vmadj_lab_kvm){
		.load = "busy", .pinned = true, .cpu = vmadj_world_cpu(), .cgroup = cgroup
	};
}

static void pair_start(struct pair *pair, const struct vmadj_lab_kvm want[2])
{
	cr_assert(ge(int, sd_event_new(&pair->event), 0));
	cr_assert(zero(int, vmadj_cpu_new(pair->event, NULL, NULL, &pair->cpu)));
	for (int i = 0; i < 2; i++) {
		struct vmadj_target *target = &pair->target[i];

		vmadj_lab_require(vmadj_lab_kvm_start(&want[i], &pair->vm[i]));
		target->pid = vmadj_lab_vm_pid(pair->vm[i]);
		cr_assert(zero(int, vmadj_process_start(target->pid, &target->start_ticks)));
	}
	cr_assert(zero(int, vmadj_cpu_find(pair->cpu, &pair->target[0], &pair->place)));
}

static void check_shares(struct pair *pair)
{
	static const int nices[] = { -10, -5, 5, 10, 19 };
	const pid_t pids[2] = { pair->target[0].pid, pair->target[1].pid };
	char value[VMADJ_CPU_VALUE_MAX];

	cr_assert(pair->place.effective, "%s", pair->place.why_not);
	for (size_t i = 0; i < sizeof(nices) / sizeof(nices[0]); i++) {
		struct vmadj_cpu_place now = pair->place;

		cr_assert(zero(int, vmadj_cpu_set(pair->cpu, &pair->target[0], &pair->place,
						  nices[i], NULL, NULL)),
			  "%s", vmadj_cpu_why(pair->cpu));
		cr_assert(zero(int, vmadj_cpu_read(pair->cpu, &pair->target[0], &now)));
		vmadj_cpu_value_of(&pair->place, nices[i], value);
		cr_expect(eq(str, now.value, value));
		cr_expect(eq(int, now.nice, nices[i]));
		vmadj_share_check(pair->event, vmadj_cpu_kind_name(pair->place.kind), pids,
				  nices[i]);
	}
}

static void put_back(struct pair *pair)
{
	struct vmadj_cpu_place now = pair->place;

	cr_assert(zero(int, vmadj_cpu_put(pair->cpu, &pair->target[0], &pair->place,
					  pair->place.value, NULL, NULL)),
		  "%s", vmadj_cpu_why(pair->cpu));
	cr_assert(zero(int, vmadj_cpu_read(pair->cpu, &pair->target[0], &now)));
	cr_expect(eq(str, now.value, pair->place.value));
}

static void read_raw(const char *folder, const char *file, char text[128])
{
	char path[PATH_MAX + 32];
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, file);
	f = fopen(path, "re");
	cr_assert(f != NULL, "%s: %m", path);
	n = fread(text, 1, 127, f);
	text[n] = '\0';
	(void)fclose(f);
}

Test(cpu_share, by_groups)
{
	const char *group = vmadj_cgroup_with_cpu();
	const struct vmadj_lab_kvm want[2] = { busy(group), busy(vmadj_cgroup_with_cpu()) };
	_cleanup_pair_ struct pair pair = { 0 };
	char before[128], after[128];
	const char *file;

	pair_start(&pair, want);
	file = pair.place.kind == VMADJ_CPU_CGROUP1 ? "cpu.shares" : "cpu.weight";
	cr_assert(eq(str, pair.place.group, (char *)group), "%s",
		  vmadj_cpu_kind_name(pair.place.kind));
	read_raw(group, file, before);
	check_shares(&pair);
	put_back(&pair);
	read_raw(group, file, after);
	cr_expect(eq(str, after, before));
}

Test(cpu_share, by_autogroup)
{
	struct vmadj_lab_kvm want[2] = { busy(NULL), busy(NULL) };
	_cleanup_pair_ struct pair pair = { 0 };
	char folder[64], before[128], after[128];

	want[0].own_session = want[1].own_session = true;
	pair_start(&pair, want);
	if (pair.place.kind != VMADJ_CPU_AUTOGROUP)
		cr_skip_test("no autogroups here, it competes by %s",
			     vmadj_cpu_kind_name(pair.place.kind));
	(void)snprintf(folder, sizeof(folder), "/proc/%d", pair.target[0].pid);
	read_raw(folder, "autogroup", before);
	check_shares(&pair);
	put_back(&pair);
	read_raw(folder, "autogroup", after);
	cr_expect(eq(str, after, before));
}

Test(cpu_share, by_thread_nice_within_a_session)
{
	const struct vmadj_lab_kvm want[2] = { busy(NULL), busy(NULL) };
	_cleanup_pair_ struct pair pair = { 0 };
	pid_t vcpu;

	pair_start(&pair, want);
	cr_assert(eq(int, pair.place.kind, VMADJ_CPU_THREADS));
	vcpu = vmadj_lab_vm_vcpu_tid(pair.vm[0], 0);
	check_shares(&pair);
	cr_expect(eq(int, getpriority(PRIO_PROCESS, (id_t)vcpu), 19));
	put_back(&pair);
	cr_expect(zero(int, getpriority(PRIO_PROCESS, (id_t)vcpu)));
	cr_expect(zero(int, getpriority(PRIO_PROCESS, (id_t)pair.target[0].pid)));
}

Test(cpu_share, by_thread_nice_within_a_group)
{
	const char *group = vmadj_cgroup_with_cpu();
	const struct vmadj_lab_kvm want[2] = { busy(group), busy(group) };
	_cleanup_pair_ struct pair pair = { 0 };

	pair_start(&pair, want);
	/* The second one came later: now the group is nobody's own. */
	cr_assert(eq(int, pair.place.kind, VMADJ_CPU_THREADS));
	cr_assert(pair.place.effective, "%s", pair.place.why_not);
	put_back(&pair);
}

static void on_done(void *userdata, int err, const char *why)
{
	*(int *)userdata = err;
	if (err)
		(void)fprintf(stderr, "%s\n", why);
}

/* Without CAP_SYS_ADMIN the kernel takes one a tenth of a second, of the whole host. */
Test(cpu_share, an_autogroup_that_may_not_be_set_yet_is_set_later)
{
	struct vmadj_lab_kvm want[2] = { busy(NULL), busy(NULL) };
	_cleanup_pair_ struct pair pair = { 0 };
	struct vmadj_cpu_place now;
	int waited = 0, answer = 1;

	want[0].own_session = true;
	pair_start(&pair, want);
	if (pair.place.kind != VMADJ_CPU_AUTOGROUP)
		cr_skip_test("no autogroups here");
	(void)capng_get_caps_process();
	(void)capng_update(CAPNG_DROP, CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
	cr_assert(zero(int, capng_apply(CAPNG_SELECT_CAPS)));
	for (int nice = 1; nice <= 3; nice++) {
		int err = vmadj_cpu_set(pair.cpu, &pair.target[0], &pair.place, nice, on_done,
					&answer);

		cr_assert(err == 0 || err == -EINPROGRESS, "%s", vmadj_cpu_why(pair.cpu));
		waited += err == -EINPROGRESS;
		for (int i = 0; err && answer && i < 100; i++)
			(void)sd_event_run(pair.event, 100000);
		cr_assert(zero(int, err ? answer : 0));
		answer = 1;
	}
	now = pair.place;
	cr_assert(zero(int, vmadj_cpu_read(pair.cpu, &pair.target[0], &now)));
	cr_expect(eq(int, now.nice, 3));
	cr_expect(gt(int, waited, 0), "the kernel never said to wait");
}

/* --- nothing is changed that is not the VM's --- */

Test(cpu_share, threads_born_meanwhile_are_turned_too)
{
	struct vmadj_lab_kvm want[2] = { busy(NULL), busy(NULL) };
	_cleanup_pair_ struct pair pair = { 0 };
	struct vmadj_cpu_place now;

	pair_start(&pair, want);
	cr_assert(zero(int, vmadj_cpu_set(pair.cpu, &pair.target[0], &pair.place, 7, NULL, NULL)));
	cr_assert(zero(int, vmadj_lab_kvm_command(pair.vm[0], "hotplug")));
	now = pair.place;
	cr_assert(zero(int, vmadj_cpu_read(pair.cpu, &pair.target[0], &now)));
	cr_expect(eq(str, now.value, "threads=7"));
	put_back(&pair);
	cr_expect(zero(int, getpriority(PRIO_PROCESS, (id_t)vmadj_lab_vm_vcpu_tid(pair.vm[0], 1))));
}

Test(cpu_share, another_start_time_is_another_process)
{
	struct vmadj_lab_kvm want[2] = { busy(NULL), busy(NULL) };
	_cleanup_pair_ struct pair pair = { 0 };
	struct vmadj_target other;

	pair_start(&pair, want);
	other = pair.target[0];
	other.start_ticks++;
	cr_expect(eq(int, vmadj_cpu_set(pair.cpu, &other, &pair.place, 7, NULL, NULL), -ESRCH));
	cr_expect(eq(int, vmadj_cpu_put(pair.cpu, &other, &pair.place, "threads=7", NULL, NULL),
		     -ESRCH));
	cr_expect(zero(int, getpriority(PRIO_PROCESS, (id_t)other.pid)));
}

Test(cpu_share, a_vm_that_has_ended_or_left_its_group_is_gone)
{
	const char *group = vmadj_cgroup_with_cpu(), *elsewhere = vmadj_cgroup_with_cpu();
	const struct vmadj_lab_kvm want[2] = { busy(group), busy(elsewhere) };
	_cleanup_pair_ struct pair pair = { 0 };
	struct vmadj_cpu_place moved;

	pair_start(&pair, want);
	moved = pair.place;
	(void)snprintf(moved.group, sizeof(moved.group), "%s", elsewhere);
	cr_expect(eq(int, vmadj_cpu_set(pair.cpu, &pair.target[0], &moved, 7, NULL, NULL), -ESRCH));
	vmadj_lab_vm_stop(pair.vm[0]);
	pair.vm[0] = NULL;
	cr_expect(eq(int, vmadj_cpu_set(pair.cpu, &pair.target[0], &pair.place, 7, NULL, NULL),
		     -ESRCH));
	cr_expect(eq(int, vmadj_cpu_read(pair.cpu, &pair.target[0], &moved), -ESRCH));
}
