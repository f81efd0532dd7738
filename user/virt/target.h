/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * target.h - the VM that something is asked of or done to
 *
 * Enough to find it again after a restart, and to see that it is still the same one: a
 * process id is only good together with the start time.
 *
 * Ownership: strings belong to whoever filled it in.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct vmadj_target {
	const char *id; /* "PID-STARTTIME" */
	const char *name;
	const char *uuid;    /* NULL: not known */
	const char *manager; /* "libvirt", "proxmox" or NULL */
	pid_t pid;
	uint64_t start_ticks; /* as vmadj_process_start() has it */
};
