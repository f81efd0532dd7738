/* SPDX-License-Identifier: GPL-2.0-only */
/* test_peacemaker.c - the functions of peacemaker.h, called by a text made of a test's steps */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "policies/peacemaker.h"

#define VMS	   4
#define WISHES_MAX 16

static struct {
	struct vmadj_policy_snapshot head;
	struct vmadj_policy_vm vm[VMS];
} snapshot;

static union {
	struct vmadj_policy_wishes wishes;
	char bytes[sizeof(struct vmadj_policy_wishes) +
		   WISHES_MAX * sizeof(struct vmadj_policy_wish)];
} out;

static void (*step)(void); /* what the text does in each of its rounds */
static int begun;

static void text(void)
{
	begun++;
	while (get_nr_kvms() > 0) {
		step();
		peacemaker_sleep(10);
	}
}

PEACEMAKER_POLICY(test, "steps of a test", text);

static void tick(void)
{
	snapshot.head.monotonic_s += 1;
	out.wishes.n = 0;
	out.wishes.max = WISHES_MAX;
	vmadj_policy.decide(NULL, &snapshot.head, &out.wishes);
}

static void ticks(int n)
{
	while (n-- > 0)
		tick();
}

/* Four VMs, the last of them unmanaged. */
static void set_up(void)
{
	static const int nice[] = { 0, 5, -5, 19 };
	static const double usage_pct[] = { 50, 150, NAN, 999 };

	snapshot.head = (struct vmadj_policy_snapshot){
		.abi = VMADJ_POLICY_ABI,
		.size = sizeof(snapshot.head),
		.vm_size = sizeof(struct vmadj_policy_vm),
		.n_vms = VMS,
		.interval_s = 1,
		.cpus = 4,
		.load1 = 1,
		.load5 = 2,
		.load15 = 3.8,
	};
	for (int i = 0; i < VMS; i++) {
		struct vmadj_policy_vm *vm = &snapshot.vm[i];

		*vm = (struct vmadj_policy_vm){ .pid = 100 * (i + 1),
						.nice = nice[i],
						.usage_pct = usage_pct[i],
						.knobs = VMADJ_KNOB_CPU };
		(void)snprintf(vm->id, sizeof(vm->id), "%d-1", vm->pid);
		(void)snprintf(vm->name, sizeof(vm->name), "vm%d", i);
	}
	snapshot.vm[3].knobs = VMADJ_KNOB_MEMORY;
}

TestSuite(peacemaker, .timeout = 10, .init = set_up);

static void look_around(void)
{
	struct cpu_loadavg load;

	cr_assert(eq(int, get_nr_kvms(), 3));
	get_physical_cpus_loadavg(&load);
	cr_assert(eq(long, load.avg1, 25));
	cr_assert(eq(long, load.avg5, 50));
	cr_assert(eq(long, load.avg15, 95));
	cr_assert(eq(int, get_max_kvms_nice()->pid, 200));
	cr_assert(eq(int, get_min_kvms_nice()->pid, 300));
	cr_assert(eq(int, get_max_kvms_prio()->pid, 300));
	cr_assert(eq(int, get_min_kvms_prio()->pid, 200));
	cr_assert(eq(int, get_max_kvms_usage()->pid, 200));
	cr_assert(eq(int, get_min_kvms_usage()->pid, 100), "what is not known is not least");
	cr_assert(eq(int, get_kvm_nice(get_min_kvms_nice()->task), -5));
	cr_assert(eq(str, (char *)get_min_kvms_nice()->task->comm, "vm2"));
	cr_assert(eq(int, search_pid_from_peace_list(100)->next->pid, 200));
	cr_assert(eq(ptr, search_pid_from_peace_list(300)->next, NULL));
	cr_assert(eq(ptr, search_pid_from_peace_list(400), NULL), "an unmanaged VM is listed");
	cr_assert(eq(ptr, search_pid_from_peace_list(1), NULL));
}

Test(peacemaker, reads_the_snapshot)
{
	step = look_around;
	tick();
	cr_assert(eq(u32, out.wishes.n, 0));
	cr_assert(eq(int, begun, 1));
}

static void look_at_priorities(void)
{
	cr_assert(eq(int, get_max_kvms_prio()->pid, 200));
	cr_assert(eq(int, get_min_kvms_prio()->pid, 300));
}

Test(peacemaker, the_administrators_priority_goes_before_nice)
{
	snapshot.vm[1].priority = 1;
	snapshot.vm[2].priority = -1;
	step = look_at_priorities;
	tick();
}

static void look_at_equals(void)
{
	cr_assert(eq(int, get_max_kvms_nice()->pid, 100));
	cr_assert(eq(int, get_min_kvms_nice()->pid, 100));
	cr_assert(eq(int, get_max_kvms_prio()->pid, 100));
	cr_assert(eq(ptr, get_max_kvms_usage(), NULL));
}

Test(peacemaker, of_equals_it_is_the_first)
{
	for (int i = 0; i < VMS; i++) {
		snapshot.vm[i].nice = 0;
		snapshot.vm[i].usage_pct = NAN;
	}
	step = look_at_equals;
	tick();
}

static void renice(void)
{
	struct cpu_loadavg load;
	struct task_struct *task = search_pid_from_peace_list(200)->task;

	get_physical_cpus_loadavg(&load);
	set_kvm_nice(task, 6);
	cr_assert(eq(int, get_kvm_nice(task), 6));
	cr_assert(eq(int, get_max_kvms_nice()->pid, 200));
	set_kvm_nice(search_pid_from_peace_list(100)->task, 1000);
	cr_assert(eq(int, get_kvm_nice(search_pid_from_peace_list(100)->task), 19));
	cr_assert(eq(int, get_max_kvms_nice()->pid, 100));
}

Test(peacemaker, wishes_have_a_reason_made_of_what_was_read)
{
	step = renice;
	tick();
	cr_assert(eq(u32, out.wishes.n, 2));
	cr_assert(eq(str, out.wishes.wish[1].vm, "200-1"));
	cr_assert(eq(u32, out.wishes.wish[1].knob, VMADJ_KNOB_CPU));
	cr_assert(epsilon_eq(dbl, out.wishes.wish[1].value, 6, 1e-9));
	cr_assert(eq(str, out.wishes.wish[1].reason,
		     "load 25/50/95 % of the CPUs over 1/5/15 minutes; nice 5 -> 6"));
	cr_assert(epsilon_eq(dbl, out.wishes.wish[0].value, 19, 1e-9));
}

static int rounds;

static void count_round(void)
{
	rounds++;
	set_kvm_nice(get_min_kvms_nice()->task, -6);
}

Test(peacemaker, a_round_is_an_interval_apart)
{
	step = count_round;
	tick();
	cr_assert(eq(int, rounds, 1));
	cr_assert(eq(str, out.wishes.wish[0].reason, "nice -5 -> -6"));
	ticks(9);
	cr_assert(eq(int, rounds, 1));
	cr_assert(eq(u32, out.wishes.n, 0));
	tick();
	cr_assert(eq(int, rounds, 2));
	cr_assert(eq(u32, out.wishes.n, 1));
	snapshot.head.monotonic_s += 9.6; /* the next snapshot came early */
	snapshot.head.monotonic_s -= 1;
	tick();
	cr_assert(eq(int, rounds, 3));
	cr_assert(eq(int, begun, 1));
}

Test(peacemaker, a_text_that_ended_is_begun_anew)
{
	step = count_round;
	snapshot.head.n_vms = 0;
	ticks(3);
	cr_assert(eq(int, begun, 3));
	cr_assert(eq(int, rounds, 0));
	snapshot.head.n_vms = VMS;
	tick();
	cr_assert(eq(int, begun, 4));
	cr_assert(eq(int, rounds, 1));
}

static void take_off(void)
{
	struct task_struct *task = search_pid_from_peace_list(200)->task;

	rounds++;
	set_kvm_nice(task, 7);
	del_kvm_list(200);
	del_kvm_list(12345);
	cr_assert(eq(int, get_nr_kvms(), 2));
	cr_assert(eq(ptr, search_pid_from_peace_list(200), NULL));
	cr_assert(eq(int, search_pid_from_peace_list(100)->next->pid, 300));
}

static struct task_struct *off;

static void put_back(void)
{
	rounds++;
	cr_assert(eq(int, get_nr_kvms(), 2), "it is on the list again by itself");
	for (uint32_t i = 0; i < peacemaker_.n_tasks; i++) {
		if (peacemaker_.tasks[i].pid == 200)
			off = &peacemaker_.tasks[i];
	}
	add_kvm_list(off);
	add_kvm_list(off);
	cr_assert(eq(int, get_nr_kvms(), 3));
	cr_assert(eq(int, search_pid_from_peace_list(100)->next->pid, 200));
}

static void see_it_is_back(void)
{
	rounds++;
	cr_assert(eq(int, get_nr_kvms(), 3));
}

Test(peacemaker, a_vm_can_be_taken_off_the_list_and_put_back)
{
	step = take_off;
	tick();
	cr_assert(eq(u32, out.wishes.n, 0), "a wish for a VM that was taken off");
	step = put_back;
	ticks(10);
	step = see_it_is_back;
	ticks(10);
	cr_assert(eq(int, rounds, 3));
}
