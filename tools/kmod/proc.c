// SPDX-License-Identifier: GPL-2.0-only
/* proc.c - /proc/vmadj_kmod; main.c describes its lines */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kvm_host.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "kmod.h"
#include "bpf/histogram.h"

#define NAME	       "vmadj_kmod"
#define BYTES_A_VM     2048 /* more than a VM of four vCPUs needs: the buffer need not grow */
#define BYTES_AT_LEAST 4096

static struct proc_dir_entry *entry;
static atomic_t vms_last; /* in the file when it was read last */

static const char *const kinds[] = {
	[VMADJ_WHO_OTHER] = "other",   [VMADJ_WHO_VM] = "vm",	      [VMADJ_WHO_HOST] = "host",
	[VMADJ_WHO_KERNEL] = "kernel", [VMADJ_WHO_WAKEUP] = "wakeup", [VMADJ_WHO_LIMIT] = "limit",
};

static void show_counts(struct seq_file *file, const char *const keys[5],
			const struct vmadj_counts *counts)
{
	seq_put_decimal_ull(file, keys[0], counts->run_ns);
	seq_put_decimal_ull(file, keys[1], counts->wait_ns);
	seq_put_decimal_ull(file, keys[2], counts->switches);
	seq_put_decimal_ull(file, keys[3], counts->preemptions);
	seq_put_decimal_ull(file, keys[4], counts->migrations);
}

static const char *const vcpu_keys[5] = {
	" run_ns ", " wait_ns ", " switches ", " preemptions ", " migrations ",
};

static const char *const emulator_keys[5] = {
	" emulator_run_ns ",	  " emulator_wait_ns ",	   " emulator_switches ",
	" emulator_preemptions ", " emulator_migrations ",
};

static void show_name(struct seq_file *file, const char *name)
{
	seq_escape(file, name, " \t\n\\=");
}

static void show_vm(struct seq_file *file, const struct vmadj_vm *vm)
{
	struct vmadj_counts sum[VMADJ_ROLES] = { vm->dead[0], vm->dead[1] };
	unsigned int n[VMADJ_ROLES] = { 0, 0 };
	const struct vmadj_thread *thread;
	char name[TASK_COMM_LEN];

	list_for_each_entry_rcu(thread, &vm->threads, node)
	{
		enum vmadj_role role = READ_ONCE(thread->vcpu_id) < 0 ? VMADJ_EMULATOR : VMADJ_VCPU;
		struct vmadj_counts counts = vmadj_thread_counts(thread);

		vmadj_counts_add(&sum[role], &counts);
		n[role]++;
	}
	seq_put_decimal_ull(file, "vm ", vm->serial);
	seq_put_decimal_ull(file, " pid ", vm->leader->pid);
	seq_puts(file, " name ");
	get_task_comm(name, vm->leader);
	show_name(file, name);
	seq_put_decimal_ll(file, " nice ", task_nice(vm->leader));
	seq_put_decimal_ull(file, " vcpus ", n[VMADJ_VCPU]);
	show_counts(file, vcpu_keys, &sum[VMADJ_VCPU]);
	seq_put_decimal_ull(file, " emulators ", n[VMADJ_EMULATOR]);
	show_counts(file, emulator_keys, &sum[VMADJ_EMULATOR]);
	seq_putc(file, '\n');
}

static void show_vcpus(struct seq_file *file, const struct vmadj_vm *vm)
{
	const struct vmadj_thread *thread;
	struct vmadj_counts counts;

	list_for_each_entry_rcu(thread, &vm->threads, node)
	{
		if (READ_ONCE(thread->vcpu_id) < 0)
			continue;
		counts = vmadj_thread_counts(thread);
		seq_put_decimal_ull(file, "vcpu ", vm->serial);
		seq_put_decimal_ull(file, " id ", thread->vcpu_id);
		seq_put_decimal_ull(file, " tid ", thread->tid);
		show_counts(file, vcpu_keys, &counts);
		seq_putc(file, '\n');
	}
}

static void show_waits(struct seq_file *file, const struct vmadj_vm *vm)
{
	u64 waits[VMADJ_WAIT_SLOTS] = { 0 };
	const struct vmadj_thread *thread;
	unsigned int i;

	list_for_each_entry_rcu(thread, &vm->threads,
				node) for (i = 0; thread->vcpu_id >= 0 && i < VMADJ_WAIT_SLOTS; i++)
		waits[i] += READ_ONCE(thread->sched.waits[i]);
	seq_put_decimal_ull(file, "waits ", vm->serial);
	for (i = 0; i < VMADJ_WAIT_SLOTS; i++) {
		if (!waits[i])
			continue;
		seq_put_decimal_ull(file, " ", vmadj_wait_slot_us(i));
		seq_put_decimal_ull(file, ":", waits[i]);
	}
	seq_putc(file, '\n');
}

static void show_culprit(struct seq_file *file, const struct vmadj_who *who)
{
	char name[sizeof(who->comm) + 1] = "";

	seq_putc(file, ' ');
	seq_puts(file, kinds[who->kind]);
	if (who->kind == VMADJ_WHO_VM)
		seq_put_decimal_ull(file, ":", who->vm);
	if (who->kind == VMADJ_WHO_HOST || who->kind == VMADJ_WHO_KERNEL) {
		memcpy(name, who->comm, sizeof(who->comm));
		seq_putc(file, ':');
		show_name(file, name);
	}
}

/* What is in its threads still may be written meanwhile: an entry may be a wait behind. */
static void show_blame(struct seq_file *file, const struct vmadj_vm *vm)
{
	struct vmadj_blame sum = vm->blame;
	const struct vmadj_thread *thread;
	int i;

	list_for_each_entry_rcu(thread, &vm->threads, node)
	{
		vmadj_blame_merge(&sum, &thread->sched.blame[0]);
		vmadj_blame_merge(&sum, &thread->sched.blame[1]);
	}
	seq_put_decimal_ull(file, "blame ", vm->serial);
	for (i = 0; i < VMADJ_CULPRITS; i++) {
		if (!sum.by[i].wait_ns)
			continue;
		show_culprit(file, &sum.by[i].who);
		seq_put_decimal_ull(file, "=", sum.by[i].wait_ns);
	}
	seq_putc(file, '\n');
}

static int show(struct seq_file *file, void *unused)
{
	const struct vmadj_vm *vm;
	int n = 0;

	seq_puts(file, NAME " 1 mode ");
	seq_puts(file, vmadj_is_trace ? "trace" : "poll");
	seq_put_decimal_ull(file, " interval_ms ", vmadj_interval_ms);
	seq_put_decimal_ull(file, " lost ", atomic_read(&vmadj_lost) + vmadj_vms_missed());
	seq_putc(file, '\n');
	rcu_read_lock();
	list_for_each_entry_rcu(vm, &vmadj_vms, node)
	{
		n++;
		show_vm(file, vm);
		show_vcpus(file, vm);
		if (vmadj_is_trace) {
			show_waits(file, vm);
			show_blame(file, vm);
		}
		if (seq_has_overflowed(file))
			break; /* it comes again with a larger buffer */
	}
	rcu_read_unlock();
	atomic_set(&vms_last, n);
	return 0;
}

static int open(struct inode *inode, struct file *file)
{
	size_t size = BYTES_AT_LEAST + (size_t)atomic_read(&vms_last) * BYTES_A_VM;

	return single_open_size(file, show, NULL, size);
}

static const struct proc_ops ops = {
	.proc_open = open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

int vmadj_proc_open(void)
{
	entry = proc_create(NAME, 0444, NULL, &ops);
	if (!entry)
		pr_err("/proc/" NAME " cannot be made\n");
	return entry ? 0 : -ENOMEM;
}

void vmadj_proc_close(void)
{
	proc_remove(entry);
}
