/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libvirt_process.h - start and end the libvirt helper; and what tests replace
 *
 * Threads: that of the event loop.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "user/virt/alone.h"

struct vmadj_libvirt;

struct vmadj_libvirt_process {
	pid_t pid; /* 0: none (tests) */
	int fd;	   /* our end of the socket; -1: not running */
};

/* Return: 0; -errno of socketpair(), fork(). */
int vmadj_libvirt_process_start(const char *uri, struct vmadj_libvirt_process *ret_process);

/* Kills it. @event: reaped when it is gone; NULL: waited for. */
void vmadj_libvirt_process_end(sd_event *event, struct vmadj_libvirt_process *process);

struct vmadj_libvirt_times {
	uint64_t cheap_us, balloon_us, set_us, agent_us; /* deadlines */
	struct vmadj_alone_times alone;
};

/* For tests, before the first question. */
void vmadj_libvirt_set_times(struct vmadj_libvirt *libvirt,
			     const struct vmadj_libvirt_times *times);
void vmadj_libvirt_set_start(struct vmadj_libvirt *libvirt,
			     int (*start)(const char *uri, struct vmadj_libvirt_process *));

/* 0: it does not run. */
pid_t vmadj_libvirt_helper_pid(const struct vmadj_libvirt *libvirt);
