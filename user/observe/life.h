/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * life.h - which threads belong to which VM, as bpf/life.bpf.c knows it
 *
 * User space names the processes that are VMs; the kernel side gives each of
 * their threads a slot, from then to its death.
 *
 * Errors:    0 or a negative errno.
 * Ownership: vmadj_life_close() takes NULL and half-open handles.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/life.h"

struct btf;
struct bpf_object;
struct vmadj_life;

/** vmadj_life_open() - load and attach; Return: 0; -EPERM, -ENOMEM, the errno of the kernel. */
int vmadj_life_open(struct btf *vmlinux, struct vmadj_life **ret_life);
void vmadj_life_close(struct vmadj_life *life);

struct bpf_object *vmadj_life_object(struct vmadj_life *life);

/** vmadj_life_share() - let @object, not yet loaded, use our maps; Return: 0, -errno. */
int vmadj_life_share(const struct vmadj_life *life, struct bpf_object *object);

/** vmadj_life_set_process() - from the next scan on @tgid is VM @vm; Return: 0; -E2BIG: full. */
int vmadj_life_set_process(struct vmadj_life *life, pid_t tgid,
			   const struct vmadj_process *process);
int vmadj_life_unset_process(struct vmadj_life *life, pid_t tgid);

/**
 * vmadj_life_scan_threads() - tag the threads of named processes, and only those
 *
 * @tgid: only this process; 0: all. @qemu is called with each QEMU process that is
 * not named; it may be NULL.
 *
 * Return: 0; -ESRCH: no such process; the errno of the kernel.
 */
int vmadj_life_scan_threads(struct vmadj_life *life, pid_t tgid,
			    void (*qemu)(void *data, const struct vmadj_event *event), void *data);

/**
 * vmadj_life_scan_files() - the descriptors of KVM that a process holds
 *
 * @tgid: only this process; 0: all. Return: as above.
 */
int vmadj_life_scan_files(struct vmadj_life *life, pid_t tgid,
			  void (*found)(void *data, const struct vmadj_kvm_file *file), void *data);

/** vmadj_life_vcpus_known() - whether vCPUs can be told from other threads by KVM's own types. */
bool vmadj_life_vcpus_known(struct vmadj_life *life);

/** vmadj_life_refresh() - map slots given since; Return: 0, -errno of mmap(). */
int vmadj_life_refresh(struct vmadj_life *life);
uint32_t vmadj_life_slots(const struct vmadj_life *life); /* slots in use are 1 .. this - 1 */
struct vmadj_thread *vmadj_life_thread(const struct vmadj_life *life, uint32_t slot);
void vmadj_life_give_back(struct vmadj_life *life, uint32_t slot);

uint64_t vmadj_life_lost(const struct vmadj_life *life); /* threads without a slot, lost events */

/* Threads that could not be tagged when they should; it grows when another scan is due. */
uint32_t vmadj_life_later(const struct vmadj_life *life);

int vmadj_life_event_fd(const struct vmadj_life *life);

/** vmadj_life_events() - hand out what has arrived; Return: 0, -errno. */
int vmadj_life_events(struct vmadj_life *life,
		      void (*event)(void *data, const struct vmadj_event *event), void *data);
