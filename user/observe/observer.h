/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * observer.h - the BPF side as user space sees it: open, read, close
 *
 * Opening probes what this kernel offers, loads and attaches what works, and
 * tests itself against the kernel's own counters. What does not work is absent
 * and named in vmadj_observer_checks(), with the reason and the way out.
 *
 * Errors:    0 or a negative errno; the reason is in the checks and was logged.
 * Threads:   an observer belongs to one thread.
 * Ownership: vmadj_observer_close() takes NULL and half-open observers; nothing
 *            stays attached or pinned after it, or after the process dies
 *            (stale pins are removed by the next vmadj_observer_open()).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum vmadj_check_state {
	VMADJ_CHECK_OK,
	VMADJ_CHECK_MISSING, /* the observer runs, but something is not known */
	VMADJ_CHECK_FATAL,   /* the observer cannot run */
};

/* One line of `vmadjust-bpf doctor`. All strings are filled in and live as long as the list. */
struct vmadj_check {
	const char *area; /* "kernel", "rights", "events", "vms", "host", "self-test" */
	const char *name; /* "BTF", "sched_switch", ... */
	enum vmadj_check_state state;
	char *found;  /* what was found: "tp_btf", "6.18.44", "absent: ..." */
	char *cost;   /* what its lack costs you; NULL when OK */
	char *remedy; /* what to do; NULL when OK */
};

struct vmadj_checks {
	size_t n;
	struct vmadj_check *check;
};

struct vmadj_observer;

/* How run time and waiting are counted. In the order of vmadj_mode_names. */
enum vmadj_mode {
	VMADJ_MODE_AUTO,  /* one of the two below, chosen when the observer opens */
	VMADJ_MODE_TRACE, /* at each context switch */
	VMADJ_MODE_POLL,  /* once a sample: no single waits, and not who caused them */
};

extern const char *const vmadj_mode_names[]; /* "auto", "trace", "poll", NULL */

struct vmadj_observer_options {
	const char *pin_dir; /* a directory on a BPF file system; NULL: VMADJ_PIN_DIR */
	enum vmadj_mode mode;
	bool self_test;
	bool try_poll; /* where it is not the mode, try whether it would work: a check */
};

#define VMADJ_PIN_DIR "/sys/fs/bpf/vmadjust-bpf"

/**
 * vmadj_observer_open() - probe, load, attach, test
 *
 * An observer is returned even where it cannot run, so that its checks can be read:
 * ask vmadj_observer_running().
 *
 * Return: 0; -ENOMEM.
 */
int vmadj_observer_open(const struct vmadj_observer_options *options,
			struct vmadj_observer **ret_observer);
void vmadj_observer_close(struct vmadj_observer *observer);

bool vmadj_observer_running(const struct vmadj_observer *observer);
enum vmadj_mode vmadj_observer_mode(const struct vmadj_observer *observer); /* never AUTO */
/**
 * vmadj_observer_fall_back() - poll from now on; totals go on
 *
 * Return: 0, also where it polls already; the kernel's errno, not logged.
 */
int vmadj_observer_fall_back(struct vmadj_observer *observer);

const struct vmadj_checks *vmadj_observer_checks(const struct vmadj_observer *observer);
