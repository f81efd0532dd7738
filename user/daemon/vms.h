/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vms.h - the VMs as the daemon has them: limits, knobs, and what was decided on each
 *
 * Ownership: the list owns its VMs; one lives from the snapshot in which it was first seen to the
 *            one in which it is no more and nothing is under way for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/actuate/balloon.h"
#include "user/actuate/cpu.h"
#include "user/actuate/memory.h"
#include "user/config/config.h"
#include "user/daemon/decisions.h"
#include "user/guest/guest.h"
#include "user/virt/target.h"

struct vmadj_daemon;
struct vmadj_guest_sources;
struct vmadj_snap_vm;

#define VMADJ_BY_MAX 32

/* Who turns a knob, and what of it is under way. */
struct vmadj_knob_use {
	char by[VMADJ_BY_MAX]; /* a policy or "hand"; "": nobody has turned it */
	bool busy;	       /* the owner was asked and has not answered */
	bool theirs;	       /* somebody else has changed it since: left alone */
	uint64_t serial;       /* of the decision that is being carried out */
};

struct vmadj_managed_cpu {
	struct vmadj_knob_use use;
	struct vmadj_cpu_place place;
	bool known;   /* place was looked for */
	double due_s; /* when to look again */
	int original_nice;
	bool released; /* it is being put back: place tells what was before */
};

/* Exists while memory is turned, or about to be. */
struct vmadj_managed_memory {
	struct vmadj_managed *managed;
	struct vmadj_knob_use use;
	struct vmadj_balloon *balloon; /* NULL: it could not be opened, see why_not */
	const char *why_not;
	double retry_s; /* when to try again to open it */
	struct vmadj_memory machine;
	struct vmadj_balloon_state state; /* as seen last */
	double seen_s;			  /* when; 0: never */
	bool noted;	     /* the ledger has it, and the statistics' period is ours */
	double looked_s;     /* when it was asked last */
	uint64_t own_serial; /* of the daemon's own decision that is being carried out; 0: none */
	bool reached;	     /* it was where it should be */
	bool waiting;	     /* a wish, goal_bytes, for the first look */
	double still_s;	     /* since when no step was made */
	uint64_t original_bytes, setting_bytes, goal_bytes;
	unsigned int original_period_s;
};

/* What its process had read when it was looked at last; totals. */
struct vmadj_managed_io {
	bool known;
	uint64_t chars, disk_bytes;	     /* as /proc/PID/io has it */
	uint64_t accessed_pages, miss_pages; /* of the host's page cache */
	uint64_t read_bytes;		     /* of its disks, since the first look */
};

struct vmadj_managed {
	struct vmadj_daemon *daemon;
	struct vmadj_target target; /* its strings are its own */
	struct vmadj_vm_limits limits;
	const struct vmadj_snap_vm *row; /* of the last snapshot; NULL: it is not in it */
	bool ended;
	struct vmadj_managed_cpu cpu;
	struct vmadj_managed_memory *memory;
	bool asked_port, has_port;	     /* one by which an agent may talk */
	struct vmadj_guest_sources *sources; /* NULL: not listened to */
	struct vmadj_guest guest;	     /* the best of them */
	struct vmadj_managed_io io;
	double said_s;	    /* when it said that, if not by its balloon */
	uint64_t rss_bytes; /* its process's; UINT64_MAX: not known */
	struct vmadj_decisions decisions;
};

struct vmadj_vms {
	size_t n, cursor;
	struct vmadj_managed **vm; /* by pid */
};

/**
 * vmadj_vms_meet() - the VM of a snapshot's row, a new one where it is not known yet
 *
 * Rows are given by pid, from vmadj_vms_begin() on. Return: NULL: out of memory.
 */
struct vmadj_managed *vmadj_vms_meet(struct vmadj_daemon *daemon, struct vmadj_vms *vms,
				     struct vmadj_snap_vm *row);
void vmadj_vms_begin(struct vmadj_vms *vms);

/* Lets go of those that are no more. */
void vmadj_vms_end(struct vmadj_daemon *daemon, struct vmadj_vms *vms);
void vmadj_vms_clear(struct vmadj_vms *vms);

struct vmadj_managed *vmadj_vms_by_id(const struct vmadj_vms *vms, const char *id);

/**
 * vmadj_vms_named() - the live VM with that name, id or uuid
 *
 * Return: NULL: there is none (*ret_n == 0) or several (*ret_n is how many).
 */
struct vmadj_managed *vmadj_vms_named(const struct vmadj_vms *vms, const char *name, size_t *ret_n);
