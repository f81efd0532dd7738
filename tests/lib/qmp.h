/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qmp.h - what a QEMU says of itself, over its QMP socket
 *
 * Errors:    a QEMU that does not answer fails the test.
 * Ownership: one client a socket; vmadj_monitor_close() takes NULL.
 */
#pragma once

#include <stdint.h>

struct vmadj_monitor;

struct vmadj_monitor *vmadj_monitor_open(const char *path);
void vmadj_monitor_close(struct vmadj_monitor *qmp);

/* The vCPUs stand still, and no request to a disk is under way; vmadj_monitor_continue() ends that.
 */
void vmadj_monitor_stop(struct vmadj_monitor *qmp);
void vmadj_monitor_continue(struct vmadj_monitor *qmp);

/* What the guest has read from all its disks so far. */
uint64_t vmadj_monitor_read_bytes(struct vmadj_monitor *qmp);

/* What the guest's balloon is asked for, and what the guest has now. */
void vmadj_monitor_balloon_set(struct vmadj_monitor *qmp, uint64_t bytes);
uint64_t vmadj_monitor_balloon_bytes(struct vmadj_monitor *qmp);

/* What the guest told of its memory last, by the balloon "balloon0"; Return: when, unix time; 0:
 * never. */
uint64_t vmadj_monitor_balloon_available(struct vmadj_monitor *qmp, uint64_t *ret_bytes);
