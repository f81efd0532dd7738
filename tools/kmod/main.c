// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmadj_kmod - what vmadjust-bpf does, as a kernel module: the base line that it is measured
 * against
 *
 * P1 (the peacemaker paper) knows the VMs of a host from within the kernel, reads their
 * task_structs once an interval, and has a policy that changes their nice. It patches KVM; this
 * module probes it instead. `make kmod` builds it; insmod after kvm, then read /proc/vmadj_kmod.
 *
 * mode=poll    as P1 does it: a kernel thread reads each VM's task_structs every interval_ms
 * mode=trace   (default) what bpf/sched.bpf.c does, at each context switch: run time, waiting,
 *              switches, and besides a histogram of waits, and who caused each wait
 * interval_ms  1000
 * policy=1     P1's: nice by load, from -15 to 15; all is put back on rmmod. Off by default.
 *
 * The lines of /proc/vmadj_kmod are pairs of key and value. Totals are the kernel's own, since
 * the birth of each thread; who wants rates takes differences.
 *
 *   vm     one line a VM: its serial, its process, then its vCPU threads together, and its other
 *          threads (emulator_*)
 *   vcpu   of the VM with that serial
 *   waits  trace: pairs of US:COUNT, waits of at least US (bpf/histogram.h has the slots)
 *   blame  trace: pairs of WHO=NS: vm:SERIAL, host:NAME, kernel:NAME, wakeup, limit, other
 *
 * vms.c has the list of VMs, threads.c whose thread is whose, poll.c, trace.c and blame.c the two
 * ways of counting, proc.c the file, policy.c the policy.
 *
 * What a module of one's own cannot do as well as BPF: the run queues' types are private to the
 * scheduler, so a thread that cpu.max holds back is known only by its CPU idling meanwhile.
 *
 * What can hurt: a disabled kprobe (debugfs, kprobes/enabled) hides the end of a VM, and then this
 * reads freed memory. Nothing checks that for a module.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/tracepoint.h>

#include "kmod.h"

#if !defined(CONFIG_SCHED_INFO) || !defined(CONFIG_SMP) || defined(CONFIG_PREEMPT_RT)
#error "it needs CONFIG_SCHED_INFO and CONFIG_SMP, and takes memory where CONFIG_PREEMPT_RT forbids it"
#endif

bool vmadj_is_trace;
unsigned int vmadj_interval_ms = 1000;
atomic_t vmadj_lost;

static char *mode = "trace";
static bool policy;
static struct task_struct *ticker;

module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "trace (default): count at context switches; poll: once an interval");
module_param_named(interval_ms, vmadj_interval_ms, uint, 0444);
MODULE_PARM_DESC(interval_ms, "between two looks at the VMs, 10 to 3600000 (1000)");
module_param(policy, bool, 0444);
MODULE_PARM_DESC(policy, "change the nice of VMs by load (off)");

struct search {
	const char *name;
	struct tracepoint *found;
};

static void match(struct tracepoint *tracepoint, void *data)
{
	struct search *search = data;

	if (!strcmp(tracepoint->name, search->name))
		search->found = tracepoint;
}

/* The kernel exports the walk over its tracepoints, not the tracepoints themselves. */
static struct tracepoint *find(const char *name)
{
	struct search search = { .name = name };

	for_each_kernel_tracepoint(match, &search);
	return search.found;
}

int vmadj_hook(const char *tracepoint, void *probe)
{
	struct tracepoint *found = find(tracepoint);
	int err = found ? tracepoint_probe_register(found, probe, NULL) : -ENOENT;

	if (err)
		pr_err("the tracepoint %s cannot be used: %d\n", tracepoint, err);
	return err;
}

void vmadj_unhook(const char *tracepoint, void *probe)
{
	tracepoint_probe_unregister(find(tracepoint), probe, NULL);
}

static void look_at(struct vmadj_vm *vm, bool turn)
{
	spin_lock(&vmadj_lock);
	if (!vm->is_gone) {
		vmadj_vm_learn_vcpus(vm);
		if (!vmadj_is_trace)
			vmadj_poll(vm);
		if (turn)
			vmadj_blame_take(vm);
		vmadj_threads_reap(vm);
	}
	spin_unlock(&vmadj_lock);
}

/* The lock is taken for one VM at a time: whoever creates a VM or a thread waits for no other. */
static void look(void)
{
	bool turn = vmadj_is_trace && vmadj_blame_turn_begin();
	struct vmadj_vm *vm;

	rcu_read_lock();
	list_for_each_entry_rcu(vm, &vmadj_vms, node) look_at(vm, turn);
	rcu_read_unlock();
	if (turn)
		vmadj_blame_turn_end();
	if (policy) {
		spin_lock(&vmadj_lock);
		vmadj_policy_decide();
		spin_unlock(&vmadj_lock);
	}
}

/* The state before the question: a stop in between then ends the sleep. */
static int tick(void *unused)
{
	for (;;) {
		look();
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		schedule_timeout(msecs_to_jiffies(vmadj_interval_ms));
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int check_params(void)
{
	vmadj_is_trace = !strcmp(mode, "trace");
	if (!vmadj_is_trace && strcmp(mode, "poll")) {
		pr_err("mode=%s: neither trace nor poll\n", mode);
		return -EINVAL;
	}
	if (vmadj_interval_ms < 10 || vmadj_interval_ms > 3600000) {
		pr_err("interval_ms=%u: not from 10 to 3600000\n", vmadj_interval_ms);
		return -EINVAL;
	}
	return 0;
}

/* Those that write first, so that nobody is left who finds a thread. */
static void stop(void)
{
	vmadj_proc_close();
	if (!IS_ERR_OR_NULL(ticker))
		kthread_stop(ticker);
	vmadj_vms_unhook();
	vmadj_threads_unhook();
	vmadj_trace_unhook();
	tracepoint_synchronize_unregister();
	vmadj_vms_close();
	rcu_barrier(); /* threads are freed by our code */
	vmadj_threads_close();
	vmadj_blame_close();
}

static int start(void)
{
	int err = vmadj_threads_open();

	if (!err && vmadj_is_trace)
		err = vmadj_trace_open();
	if (!err)
		err = vmadj_vms_open();
	if (!err)
		err = vmadj_proc_open();
	if (err)
		return err;
	ticker = kthread_run(tick, NULL, "vmadj_kmod");
	if (IS_ERR(ticker))
		pr_err("no kernel thread: %ld\n", PTR_ERR(ticker));
	return PTR_ERR_OR_ZERO(ticker);
}

static int __init vmadj_init(void)
{
	int err = check_params();

	if (err)
		return err;
	err = start();
	if (err)
		stop();
	else
		pr_info("mode %s, every %u ms, policy %s\n", mode, vmadj_interval_ms,
			policy ? "on" : "off");
	return err;
}

static void __exit vmadj_exit(void)
{
	stop();
}

module_init(vmadj_init);
module_exit(vmadj_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VMs of this host: what they run, what they wait for, and P1's policy");
