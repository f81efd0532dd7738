// SPDX-License-Identifier: GPL-2.0-only
/*
 * vms.c - the list of VMs: KVM's own creations and destructions
 *
 * P1 patches kvm_create_vm() and kvm_destroy_vm(). The compiler may inline those (6.1 and 6.12 have
 * no kvm_create_vm); kvm_arch_post_init_vm() is the last step of the one that can
 * fail, kvm_arch_pre_destroy_vm() in the other comes before anything is freed, and both are called
 * from another file, so they are there.
 *
 * VMs that were there before: whoever holds a descriptor of a VM that lives in his memory. A VM
 * whose own descriptor is closed, and only those of its vCPUs are open, is not found so.
 *
 * Two VMs of one process share its threads; they are listed with the older one.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fdtable.h>
#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "kmod.h"

DEFINE_SPINLOCK(vmadj_lock);
LIST_HEAD(vmadj_vms);

static u32 last_serial;

static struct vmadj_vm *find(const struct kvm *kvm)
{
	struct vmadj_vm *vm;

	list_for_each_entry (vm, &vmadj_vms, node)
		if (vm->kvm == kvm)
			return vm;
	return NULL;
}

static void add(struct kvm *kvm, struct task_struct *leader)
{
	struct vmadj_vm *vm = kmalloc(sizeof(*vm), VMADJ_GFP);

	if (!vm) {
		atomic_inc(&vmadj_lost);
		return;
	}
	vm->kvm = kvm;
	vm->leader = get_task_struct(leader);
	INIT_LIST_HEAD(&vm->threads);
	spin_lock(&vmadj_lock);
	if (find(kvm)) {
		spin_unlock(&vmadj_lock);
		put_task_struct(leader);
		kfree(vm);
		return;
	}
	vm->serial = ++last_serial;
	vmadj_threads_add(vm);
	list_add_tail_rcu(&vm->node, &vmadj_vms);
	spin_unlock(&vmadj_lock);
}

static void vm_free(struct rcu_head *rcu)
{
	struct vmadj_vm *vm = container_of(rcu, struct vmadj_vm, rcu);

	put_task_struct(vm->leader);
	kfree(vm);
}

/* What had been counted of its threads goes; an heir counts on with the kernel's own totals. */
static void remove(struct vmadj_vm *vm)
{
	struct vmadj_vm *heir;

	vm->is_gone = true;
	vmadj_policy_restore(vm);
	list_del_rcu(&vm->node);
	vmadj_threads_remove(vm);
	list_for_each_entry (heir, &vmadj_vms, node) {
		if (heir->leader == vm->leader) {
			vmadj_threads_add(heir);
			heir->vcpus_known = 0;
			break;
		}
	}
	call_rcu(&vm->rcu, vm_free);
}

/* Called by whoever has the lock, for a VM that is listed. A vCPU has no thread before it runs. */
void vmadj_vm_learn_vcpus(struct vmadj_vm *vm)
{
	struct vmadj_thread *thread;
	struct task_struct *task;
	struct kvm_vcpu *vcpu;
	unsigned long i;

	if (vm->vcpus_known == atomic_read(&vm->kvm->online_vcpus))
		return;
	vm->vcpus_known = 0;
	rcu_read_lock();
	kvm_for_each_vcpu(i, vcpu, vm->kvm)
	{
		task = pid_task(rcu_dereference(vcpu->pid), PIDTYPE_PID);
		thread = task ? vmadj_thread_of(task) : NULL;
		if (thread) {
			thread->vcpu_id = vcpu->vcpu_id;
			vm->vcpus_known++;
		}
	}
	rcu_read_unlock();
}

struct creation {
	struct kvm *kvm;
};

static int creation_begins(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	((struct creation *)instance->data)->kvm = (void *)regs_get_kernel_argument(regs, 0);
	return 0;
}

static int creation_ends(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	if (!(int)regs_return_value(regs))
		add(((struct creation *)instance->data)->kvm, current->group_leader);
	return 0;
}

static int destruction(struct kprobe *probe, struct pt_regs *regs)
{
	struct vmadj_vm *vm;

	spin_lock(&vmadj_lock);
	vm = find((void *)regs_get_kernel_argument(regs, 0));
	if (vm)
		remove(vm);
	spin_unlock(&vmadj_lock);
	return 0;
}

static struct kretprobe creation_probe = {
	.kp.symbol_name = "kvm_arch_post_init_vm",
	.entry_handler = creation_begins,
	.handler = creation_ends,
	.data_size = sizeof(struct creation),
	.maxactive = 1024, /* at the same time: it sleeps on its way */
};

static struct kprobe destruction_probe = {
	.symbol_name = "kvm_arch_pre_destroy_vm",
	.pre_handler = destruction,
};

unsigned long vmadj_vms_missed(void)
{
	return creation_probe.nmissed;
}

/* Its table of descriptors is locked: what is open in it cannot be destroyed meanwhile. */
static int each_file(const void *data, struct file *file, unsigned int fd)
{
	struct task_struct *leader = (struct task_struct *)data;

	if (file_is_kvm(file) && ((struct kvm *)file->private_data)->mm == leader->mm)
		add(file->private_data, leader);
	return 0;
}

static void add_present(void)
{
	struct task_struct *leader;

	rcu_read_lock();
	for_each_process(leader)
	{
		task_lock(leader);
		if (leader->files && leader->mm)
			iterate_fd(leader->files, 0, each_file, leader);
		task_unlock(leader);
	}
	rcu_read_unlock();
}

/* The end of VMs first: one that is created while we look may end at once. */
int vmadj_vms_open(void)
{
	int err = register_kprobe(&destruction_probe);

	if (err) {
		pr_err("%s cannot be probed: %d\n", destruction_probe.symbol_name, err);
		destruction_probe.addr = NULL;
		return err;
	}
	err = register_kretprobe(&creation_probe);
	if (err) {
		pr_err("%s cannot be probed: %d\n", creation_probe.kp.symbol_name, err);
		creation_probe.kp.addr = NULL;
		return err;
	}
	add_present();
	return 0;
}

void vmadj_vms_unhook(void)
{
	if (creation_probe.kp.addr)
		unregister_kretprobe(&creation_probe);
	if (destruction_probe.addr)
		unregister_kprobe(&destruction_probe);
}

/* From now on a struct kvm may go at any time, and is looked at no more. */
void vmadj_vms_close(void)
{
	struct vmadj_vm *vm, *next;

	spin_lock(&vmadj_lock);
	list_for_each_entry_safe(vm, next, &vmadj_vms, node) remove(vm);
	spin_unlock(&vmadj_lock);
}
