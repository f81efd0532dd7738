/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qga.h - the figures of an unmodified guest, read through qemu-guest-agent
 *
 * /proc/meminfo, /proc/vmstat and /proc/pressure/memory by guest-file-read: over its socket, or
 * through libvirt where libvirt has that. Asked once a second, never twice at once.
 *
 * Errors:    0 or a negative errno; what the guest does wrong only makes it unknown.
 * Threads:   one thread, that of the event loop; nothing waits for a guest.
 * Ownership: target and libvirt must outlive it; free takes NULL and calls back nobody.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "user/guest/sources.h"

#define VMADJ_GUEST_QGA_PORT "org.qemu.guest_agent.0"

struct vmadj_guest_qga;

/** vmadj_guest_qga_new() - @heard: new figures have come; Return: 0; -ENOMEM. */
int vmadj_guest_qga_new(sd_event *event, struct vmadj_libvirt *libvirt,
			const struct vmadj_target *target, vmadj_guest_heard heard, void *userdata,
			struct vmadj_guest_qga **ret_qga);
void vmadj_guest_qga_free(struct vmadj_guest_qga *qga);

/* As vmadj_guest_sources_tick(). */
void vmadj_guest_qga_tick(struct vmadj_guest_qga *qga, double now_s,
			  const struct vmadj_guest_seen *seen);

/* What it said last, with its age; Return: false: nothing that is fresh and believed. */
bool vmadj_guest_qga_get(const struct vmadj_guest_qga *qga, double now_s,
			 struct vmadj_guest *ret_guest);

/* For tests: where its socket is. */
void vmadj_guest_qga_set_path(struct vmadj_guest_qga *qga, const char *path);

/* Why nothing is, though it is there; NULL: it is not there, or all is well. */
const char *vmadj_guest_qga_why(const struct vmadj_guest_qga *qga);
