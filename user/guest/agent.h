/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent.h - the host's end of vmadjust-guest: docs/guest-protocol.md
 *
 * It connects to the socket of the VM's port org.vmadjust.guest.0, which is found on QEMU's command
 * line or asked of libvirt, again after it was lost (1 s, twice as long each time, up to 60 s).
 *
 * Errors:    0 or a negative errno; what the guest does wrong only makes it unknown.
 * Threads:   one thread, that of the event loop; nothing waits for a guest.
 * Ownership: target and libvirt must outlive it; free takes NULL and calls back nobody.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "user/guest/sources.h"

struct vmadj_guest_agent;

/** vmadj_guest_agent_new() - @heard: new figures have come; Return: 0; -ENOMEM. */
int vmadj_guest_agent_new(sd_event *event, struct vmadj_libvirt *libvirt,
			  const struct vmadj_target *target, vmadj_guest_heard heard,
			  void *userdata, struct vmadj_guest_agent **ret_agent);
void vmadj_guest_agent_free(struct vmadj_guest_agent *agent);

/* As vmadj_guest_sources_tick(). */
void vmadj_guest_agent_tick(struct vmadj_guest_agent *agent, double now_s,
			    const struct vmadj_guest_seen *seen);

/* What it said last, with its age; Return: false: nothing that is fresh and believed. */
bool vmadj_guest_agent_get(const struct vmadj_guest_agent *agent, double now_s,
			   struct vmadj_guest *ret_guest);

/* Why nothing is, though it is there; NULL: it is not there, or all is well. */
const char *vmadj_guest_agent_why(const struct vmadj_guest_agent *agent);
