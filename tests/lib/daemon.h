/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon.h - `vmadjust-bpf run` as a user runs it, with folders of its own
 *
 *	struct vmadj_run *run = vmadj_run_start("[policy squeeze]\narmed = yes\n");
 *	json_t *status = vmadj_run_ask(run, "{\"verb\":\"status\"}");
 *
 * Only VMs that the configuration names are managed: others of the host are left alone. Policies
 * are those of tests/data/policies.
 *
 * Errors:    what does not work fails the test; where nothing can be observed it is skipped.
 * Ownership: one that still runs is killed by vmadj_run_end_all(), the suite's .fini, and its
 *            folders removed.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct vmadj_run;

/* @config: what stands behind the [daemon] section. Returns once it answers. */
struct vmadj_run *vmadj_run_start(const char *config);

/* The same, with @keys of the [daemon] section. */
struct vmadj_run *vmadj_run_start_with(const char *keys, const char *config);

/* Another configuration, which it reads while it runs; not waited for. */
void vmadj_run_reload(struct vmadj_run *run, const char *keys, const char *config);

/* The same folders, after it was killed. */
void vmadj_run_again(struct vmadj_run *run);

pid_t vmadj_run_pid(const struct vmadj_run *run);

/* Ends it with that signal. Return: its exit status, 128 + the signal where it died of one. */
int vmadj_run_end(struct vmadj_run *run, int sig);
void vmadj_run_end_all(void);

/* `vmadjust-bpf restore`; Return: its exit status. */
int vmadj_run_restore(struct vmadj_run *run);

/* The answer, whatever it is, which the caller frees. */
json_t *vmadj_run_ask(struct vmadj_run *run, const char *request);

/* What it has written to its log so far; valid until the next call. */
const char *vmadj_run_log(struct vmadj_run *run);

/* Waits until @text stands in the log, at most that long. Return: whether it does. */
bool vmadj_run_wait_log(struct vmadj_run *run, const char *text, double seconds);

/* Its samples, as `dump` sees them: begins now. */
void vmadj_run_watch(struct vmadj_run *run);

/* The next sample, which the caller frees, and how long it took to come. */
json_t *vmadj_run_sample(struct vmadj_run *run, double *ret_waited_s);

/* A VM of a sample; NULL: it is not there. */
const json_t *vmadj_run_vm(const json_t *sample, const char *name);
