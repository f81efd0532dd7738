/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * balloon.h - one VM's balloon, over libvirt or its QMP socket
 *
 * It asks and it sets, nothing else: what may be asked for is decided in memory.h. Backends are
 * ops tables, balloon_libvirt.c and balloon_qmp.c; tests and --dry-run have balloon_fake.c.
 *
 * Units:     bytes; VMADJ_BALLOON_UNSET: not told.
 * A QMP socket takes one client. So it is held for the time of one question only, some
 * milliseconds, and an administrator or a backup that wants it next gets it; where somebody else
 * has it, the question fails with -EBUSY.
 *
 * Errors:    0 or a negative errno at once, or by callback: -EBUSY: a question is open, or
 *            somebody else has the QMP socket; -EAGAIN: it is left alone for now; -ETIMEDOUT;
 *            -EOPNOTSUPP: this VM has no balloon; -ENOENT: it is not the same process any more,
 *            or no such socket or domain; -ENOTCONN; -ECONNRESET; -EPROTO; -EIO.
 * Threads:   one thread, that of the event loop.
 * Ownership: vmadj_balloon_close() takes NULL and calls back nobody. It changes nothing:
 *            whoever changed target or period sets them back before. Callbacks may ask and
 *            close.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "user/virt/balloon_stats.h"
#include "user/virt/target.h"

struct vmadj_balloon;
struct vmadj_libvirt;

/* One look at it. */
struct vmadj_balloon_state {
	bool running;	 /* not paused: statistics of a paused guest stand still */
	bool job_active; /* migration, snapshot, backup: change nothing */
	uint64_t max_bytes;
	unsigned int period_s; /* of the statistics: as found at the first look, then as set */
	struct vmadj_balloon_stats stats; /* VMADJ_BALLOON_UNSET and 0 while it does not run */
};

typedef void (*vmadj_balloon_seen)(void *userdata, int err,
				   const struct vmadj_balloon_state *state);
typedef void (*vmadj_balloon_done)(void *userdata, int err);

struct vmadj_balloon_ops {
	const char *kind; /* "libvirt", "qmp" */

	/* mandatory; the answer comes by vmadj_balloon_finish() (balloon_private.h) */
	int (*look)(struct vmadj_balloon *balloon);
	int (*set)(struct vmadj_balloon *balloon, uint64_t bytes);
	int (*set_period)(struct vmadj_balloon *balloon, unsigned int seconds);
	void (*close)(struct vmadj_balloon *balloon);
};

/**
 * vmadj_balloon_open() - through libvirt where that manages the VM, else by QMP
 *
 * @libvirt may be NULL. Return: 0; -EOPNOTSUPP: neither reaches it, the reason in @ret_why (a
 * constant text or one that lives with the target); -ENOMEM.
 */
int vmadj_balloon_open(sd_event *event, struct vmadj_libvirt *libvirt,
		       const struct vmadj_target *target, struct vmadj_balloon **ret_balloon,
		       const char **ret_why);
void vmadj_balloon_close(struct vmadj_balloon *balloon);

const char *vmadj_balloon_kind(const struct vmadj_balloon *balloon);

/* What libvirt or QEMU said of the last failure; "": nothing. */
const char *vmadj_balloon_why(const struct vmadj_balloon *balloon);

/* One of the three is open at a time; -EBUSY else. */
int vmadj_balloon_look(struct vmadj_balloon *balloon, vmadj_balloon_seen seen, void *userdata);
int vmadj_balloon_set(struct vmadj_balloon *balloon, uint64_t bytes, vmadj_balloon_done done,
		      void *userdata);

/* How often the guest tells its statistics; 0: never, as QEMU starts. */
int vmadj_balloon_set_period(struct vmadj_balloon *balloon, unsigned int seconds,
			     vmadj_balloon_done done, void *userdata);

/**
 * vmadj_balloon_forbidden() - why this VM's memory must not be changed, whatever its balloon says
 *
 * Passed-through devices (VFIO), huge pages, locked or confidential memory: the guest would lose
 * memory and the host gain none. Read from the command line, /proc and the open descriptors.
 *
 * Return: the reason, a constant; NULL: nothing forbids it.
 */
const char *vmadj_balloon_forbidden(pid_t pid);

/* The part of it that the command line tells; @mounts: as /proc/PID/mounts. */
const char *vmadj_balloon_forbidden_args(const char *cmdline, size_t len, const char *mounts);

/* A balloon for tests, which read and write this while it is open; it must live longer. */
struct vmadj_balloon_fake {
	struct vmadj_balloon_state state; /* what a look sees */
	int err;			  /* what everything answers */
	bool silent;			  /* nothing is answered */
	bool stubborn;			  /* actual_bytes does not follow what is set */
	unsigned int n_looks, n_sets;
	uint64_t set_bytes; /* what was set last */
};

/** vmadj_balloon_fake_open() - Return: 0; -ENOMEM. */
int vmadj_balloon_fake_open(sd_event *event, struct vmadj_balloon_fake *fake,
			    struct vmadj_balloon **ret_balloon);
