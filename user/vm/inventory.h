/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inventory.h - which VMs there are (P1's peace list)
 *
 * Any process that holds a KVM VM is a VM, whoever started it; so is a QEMU
 * that emulates its vCPUs (TCG). Births and deaths come as events from the
 * kernel; vmadj_inventory_tick() settles what events cannot tell.
 *
 * Errors:    0 or a negative errno.
 * Threads:   an inventory belongs to one thread.
 * Ownership: the observer must outlive the inventory; strings of a VM live until
 *            the second tick after it ended.
 */
#pragma once

#include <stddef.h>

struct vmadj_inventory;
struct vmadj_observer;

/**
 * vmadj_inventory_new() - find the VMs that are there and watch for more
 *
 * Return: 0; -ENOMEM; the errno of the kernel where it cannot be scanned.
 */
int vmadj_inventory_new(struct vmadj_observer *observer, struct vmadj_inventory **ret_inventory);
void vmadj_inventory_free(struct vmadj_inventory *inventory);

/** vmadj_inventory_fds() - the descriptors to poll for reading; Return: how many, at most @max. */
int vmadj_inventory_fds(const struct vmadj_inventory *inventory, int *fds, size_t max);

/** vmadj_inventory_dispatch() - take the events that made a descriptor readable; Return: 0, -errno.
 */
int vmadj_inventory_dispatch(struct vmadj_inventory *inventory);

/** vmadj_inventory_tick() - housekeeping, at least once a second; Return: 0, -ENOMEM. */
int vmadj_inventory_tick(struct vmadj_inventory *inventory);
