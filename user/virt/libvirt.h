/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libvirt.h - ask libvirt without ever waiting for it
 *
 * A libvirt call on a QEMU that hangs may never return, and enough of them starve libvirtd
 * for everybody. So libvirt lives in a helper process of ours (libvirt_helper.c) that can be
 * killed; a request is sent, its answer comes by callback. One call is in flight a VM, and one
 * to its guest's agent, who may keep it waiting: two agents are asked at a time. Each has a
 * deadline. A VM whose call missed it, or whose QEMU does not answer libvirt, is left alone for a
 * while, longer each time, but for the cheap questions. VMADJ_LIBVIRT_STUCK_MAX stuck calls end
 * the helper, and for a while only cheap questions are asked of anybody; none at all when it was
 * a cheap one that got stuck, for then it is libvirtd that hangs.
 *
 * Cheap is what libvirtd answers itself: STATE, GET_SHARES, GET_PERIOD, CHANNEL.
 *
 * Units:     bytes, seconds.
 * Errors:    from vmadj_libvirt_ask() and vmadj_libvirt_ask_agent(): 0: the callback will come,
 *            exactly once; -EBUSY: a call on that VM (or on its agent) is in flight;
 *            -EAGAIN: this VM, or libvirt, is left alone for now; -EINVAL: @uuid is none;
 *            -ENOMEM. To the callback: 0; -ETIMEDOUT: deadline missed;
 *            -EAGAIN: QEMU does not answer libvirt now, it was not asked;
 *            -ENOENT: libvirt knows no such domain; -ENOTCONN: no libvirtd answers, or the
 *            helper was ended while it was asked;
 *            -EOPNOTSUPP: this domain cannot do it; -EIO: libvirt refused, text in the answer.
 * Threads:   one thread, that of @event.
 * Ownership: the answer is valid within the callback only. vmadj_libvirt_free() takes NULL, kills
 *            the helper and calls back nobody; callbacks may ask, and not free.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#define VMADJ_LIBVIRT_STUCK_MAX 2

/* The port that our own agent talks through. */
#define VMADJ_LIBVIRT_PORT "org.vmadjust.guest.0"

struct vmadj_libvirt;

enum vmadj_libvirt_what {
	VMADJ_LIBVIRT_STATE,	  /* cheap, never asks QEMU: running, max_bytes */
	VMADJ_LIBVIRT_BALLOON,	  /* balloon, job_active; of a running VM only */
	VMADJ_LIBVIRT_CHANNEL,	  /* channel, of VMADJ_LIBVIRT_PORT; -EOPNOTSUPP: none */
	VMADJ_LIBVIRT_SET_MEMORY, /* value: bytes */
	VMADJ_LIBVIRT_SET_PERIOD, /* value: seconds between balloon statistics */
	VMADJ_LIBVIRT_GET_SHARES, /* shares: cpu.shares (v1) or cpu.weight (v2) as libvirt has it */
	VMADJ_LIBVIRT_SET_SHARES, /* value */
	VMADJ_LIBVIRT_GET_PERIOD, /* period_s, as SET_PERIOD sets it */
	VMADJ_LIBVIRT_AGENT,	  /* agent; by vmadj_libvirt_ask_agent() */
};

#include "user/virt/balloon_stats.h"

struct vmadj_libvirt_answer {
	bool running;	     /* STATE: neither paused nor shut off */
	bool job_active;     /* BALLOON: migration, save, snapshot, backup or dump is under way;
			      * libvirt does not tell of jobs of single disks without being
			      * asked for each */
	uint64_t max_bytes;  /* STATE */
	uint64_t shares;     /* GET_SHARES */
	const char *channel; /* CHANNEL: the path of its UNIX socket; "" */
	uint64_t period_s;   /* GET_PERIOD; 0: the guest is not asked for statistics */
	struct vmadj_balloon_stats balloon; /* BALLOON */
	const char *error;		    /* libvirt's words; "" */
	const char *agent;		    /* AGENT: a line of JSON for each command */
};

typedef void (*vmadj_libvirt_done)(void *userdata, int err,
				   const struct vmadj_libvirt_answer *answer);

/**
 * vmadj_libvirt_new() - nothing is started before the first question
 *
 * @uri: NULL for "qemu:///system". Return: 0; -ENOMEM.
 */
int vmadj_libvirt_new(sd_event *event, const char *uri, struct vmadj_libvirt **ret_libvirt);
void vmadj_libvirt_free(struct vmadj_libvirt *libvirt);

/** vmadj_libvirt_ask() - @uuid of the domain; see the head of this file for what is returned */
int vmadj_libvirt_ask(struct vmadj_libvirt *libvirt, const char *uuid, enum vmadj_libvirt_what what,
		      uint64_t value, vmadj_libvirt_done done, void *userdata);

/**
 * vmadj_libvirt_ask_agent() - have libvirt ask the guest's qemu-ga
 *
 * @commands: one or more, each ended by "\n"; less than 1024 bytes. What the agent calls an error
 * is an answer {"error":{"desc":...}}. libvirt marks the domain as tainted by that.
 *
 * Return: as vmadj_libvirt_ask(); -EINVAL also: @commands are too long. To the callback,
 * -EOPNOTSUPP: the domain has no such channel; -EIO: libvirt's words, also that no agent answers;
 * -ETIMEDOUT, -EMSGSIZE: the agent is too slow, or says too much.
 */
int vmadj_libvirt_ask_agent(struct vmadj_libvirt *libvirt, const char *uuid, const char *commands,
			    vmadj_libvirt_done done, void *userdata);

/* Nobody will be called back with @userdata from now on. */
void vmadj_libvirt_forget(struct vmadj_libvirt *libvirt, const void *userdata);

/* For `ctl status`: "not asked yet", "answers", "does not answer: 2 calls are stuck", ... */
const char *vmadj_libvirt_status(const struct vmadj_libvirt *libvirt);

/* For tests: another program than this one as the helper. */
void vmadj_libvirt_set_program(const char *path);

/* The helper's main: reads requests from descriptor 3; Return: exit status. */
int vmadj_libvirt_helper_main(const char *uri);
