/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uevent.h - KVM's own news of VMs: "created" and "destroyed", by the process that did it
 *
 * The kernel sends them over netlink (linux/Documentation: kvm_uevent_notify_change());
 * no right is needed to listen, but one must be in the host's network namespace.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/** vmadj_uevent_open() - Return: a non-blocking descriptor; -errno. */
int vmadj_uevent_open(void);

/**
 * vmadj_uevent_read() - the next piece of news about a VM
 *
 * @ret_tid is the thread that created the VM, or whose VM was destroyed.
 *
 * Return: 1: there was one; 0: no more; -ENOBUFS: some were lost, look for yourself.
 */
int vmadj_uevent_read(int fd, bool *ret_created, pid_t *ret_tid);

/** vmadj_uevent_parse() - one message of @len bytes, ending in NUL. Return: whether it is about a
 * VM. */
bool vmadj_uevent_parse(const char *message, size_t len, bool *ret_created, pid_t *ret_tid);
