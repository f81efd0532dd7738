/* SPDX-License-Identifier: GPL-2.0-only */
/* restore.c - put knobs back as the ledger says they were */
#include "user/actuate/restore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/actuate/cpu.h"
#include "user/actuate/restore_private.h"
#include "user/util/log.h"
#include "user/util/process.h"

#define AGAIN_US    20000
#define DEADLINE_US 15000000

struct vmadj_restore {
	struct vmadj_restore_tools tools;
	struct vmadj_restore_sum sum;
	vmadj_restore_done done;
	void *userdata;
	sd_event_source *deadline, *finish, *again;
	size_t n, n_open;
	struct vmadj_restore_job *jobs;
};

const struct vmadj_restore_tools *vmadj_restore_tools_of(const struct vmadj_restore_job *job)
{
	return &job->restore->tools;
}

static void say(const struct vmadj_restore_job *job, const char *why)
{
	const struct vmadj_ledger_entry *entry = &job->entry;

	switch (job->state) {
	case VMADJ_RESTORE_DONE:
		log_notice("vm=%s %s %s->%s restored%s%s", entry->vm.name, entry->knob, entry->ours,
			   entry->original, why ? ": " : "", why ? why : "");
		break;
	case VMADJ_RESTORE_THEIRS:
		log_notice("vm=%s %s is left as it is: somebody else has changed it",
			   entry->vm.name, entry->knob);
		break;
	case VMADJ_RESTORE_GONE:
		log_info("vm=%s %s: the VM has ended, nothing to restore", entry->vm.name,
			 entry->knob);
		break;
	default:
		log_err("vm=%s %s cannot be restored to %s: %s; vmadjust-bpf restore tries again",
			entry->vm.name, entry->knob, entry->original,
			why ? why : "it does not answer");
	}
}

void vmadj_restore_end(struct vmadj_restore_job *job, enum vmadj_restored state, const char *why)
{
	struct vmadj_restore *restore = job->restore;

	if (job->state != VMADJ_RESTORE_OPEN)
		return;
	job->state = state;
	restore->sum.restored += state == VMADJ_RESTORE_DONE;
	restore->sum.theirs += state == VMADJ_RESTORE_THEIRS;
	restore->sum.gone += state == VMADJ_RESTORE_GONE;
	restore->sum.failed += state == VMADJ_RESTORE_FAILED;
	say(job, why);
	if (state != VMADJ_RESTORE_FAILED)
		(void)vmadj_ledger_forget(restore->tools.ledger, job->entry.vm.id, job->entry.knob);
	if (!--restore->n_open)
		(void)sd_event_source_set_enabled(restore->finish, SD_EVENT_ONESHOT);
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vmadj_restore *restore = userdata;

	(void)source;
	(void)usec;
	return sd_event_source_set_enabled(restore->finish, SD_EVENT_ONESHOT);
}

static void arm_again(struct vmadj_restore *restore)
{
	restore->again = sd_event_source_disable_unref(restore->again);
	(void)sd_event_add_time_relative(restore->tools.event, &restore->again, CLOCK_MONOTONIC,
					 AGAIN_US, 0, on_again, restore);
}

/* Somebody else sits on the monitor, libvirtd starts: until the deadline that may pass. */
void vmadj_restore_fail(struct vmadj_restore_job *job, int err, const char *why)
{
	bool passes = err == -EBUSY || err == -EAGAIN || err == -ENOTCONN || err == -ETIMEDOUT;

	if (job->state != VMADJ_RESTORE_OPEN)
		return;
	(void)snprintf(job->why, sizeof(job->why), "%s", why && *why ? why : strerror(-err));
	if (!passes) {
		vmadj_restore_end(job, VMADJ_RESTORE_FAILED, job->why);
		return;
	}
	job->begun = false;
	arm_again(job->restore);
}

static bool is_gone(const struct vmadj_ledger_entry *entry)
{
	uint64_t ticks;

	return entry->stale || vmadj_process_start(entry->vm.pid, &ticks) ||
	       ticks != entry->vm.start_ticks;
}

static void begin(struct vmadj_restore_job *job)
{
	if (is_gone(&job->entry)) {
		vmadj_restore_end(job, VMADJ_RESTORE_GONE, NULL);
	} else if (!strcmp(job->entry.knob, "cpu")) {
		vmadj_restore_cpu(job);
	} else if (!strcmp(job->entry.knob, "memory")) {
		vmadj_restore_memory(job);
	} else {
		vmadj_restore_end(job, VMADJ_RESTORE_FAILED, "this program knows no such knob");
	}
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vmadj_restore *restore = userdata;

	(void)source;
	(void)usec;
	for (size_t i = 0; i < restore->n; i++) {
		vmadj_restore_end(&restore->jobs[i], VMADJ_RESTORE_FAILED,
				  *restore->jobs[i].why ? restore->jobs[i].why : NULL);
	}
	return 0;
}

/* A change that is under way would come after what is put back now: it is waited for. */
static void begin_jobs(struct vmadj_restore *restore)
{
	for (size_t i = 0; i < restore->n; i++) {
		struct vmadj_restore_job *job = &restore->jobs[i];

		if (job->begun || job->state != VMADJ_RESTORE_OPEN)
			continue;
		job->begun = !vmadj_cpu_is_turning(restore->tools.cpu, &job->entry.vm);
		if (job->begun) {
			begin(job);
		} else {
			arm_again(restore);
		}
	}
}

/* Runs last in its round of the event loop, so that nobody is called back from within a call. */
static int on_finish(sd_event_source *source, void *userdata)
{
	struct vmadj_restore *restore = userdata;
	int err;

	(void)source;
	/* At first it begins the jobs, and once they are all over it ends. */
	begin_jobs(restore);
	if (restore->n_open)
		return 0;
	err = vmadj_ledger_commit(restore->tools.ledger);
	if (err) {
		log_err("the ledger cannot be written: %s; what was restored will be looked at again",
			strerror(-err));
	}
	restore->done(restore->userdata, &restore->sum);
	return 0;
}

static bool is_wanted(const struct vmadj_ledger_entry *entry,
		      const struct vmadj_restore_which *which)
{
	return (!which->by || !strcmp(which->by, entry->by)) &&
	       (!which->vm_id || !strcmp(which->vm_id, entry->vm.id)) &&
	       (!which->knob || !strcmp(which->knob, entry->knob));
}

static int add_jobs(struct vmadj_restore *restore, const struct vmadj_restore_which *which)
{
	size_t n = vmadj_ledger_count(restore->tools.ledger);

	restore->jobs = calloc(n + 1, sizeof(*restore->jobs));
	if (!restore->jobs)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct vmadj_ledger_entry *entry = vmadj_ledger_at(restore->tools.ledger, i);
		struct vmadj_restore_job *job = &restore->jobs[restore->n];
		int err;

		if (!is_wanted(entry, which))
			continue;
		err = vmadj_ledger_entry_copy(entry, &job->entry);
		if (err)
			return err;
		job->restore = restore;
		restore->n++;
	}
	restore->n_open = restore->n;
	return 0;
}

int vmadj_restore_start(const struct vmadj_restore_tools *tools,
			const struct vmadj_restore_which *which, vmadj_restore_done done,
			void *userdata, struct vmadj_restore **ret_restore)
{
	struct vmadj_restore *restore = calloc(1, sizeof(*restore));
	int err;

	if (!restore)
		return -ENOMEM;
	restore->tools = *tools;
	restore->done = done;
	restore->userdata = userdata;
	err = add_jobs(restore, which);
	if (!err) {
		err = sd_event_add_time_relative(tools->event, &restore->deadline, CLOCK_MONOTONIC,
						 DEADLINE_US, 0, on_deadline, restore);
	}
	if (err >= 0)
		err = sd_event_add_defer(tools->event, &restore->finish, on_finish, restore);
	if (err < 0) {
		vmadj_restore_free(restore);
		return err;
	}
	*ret_restore = restore;
	return 0;
}

void vmadj_restore_free(struct vmadj_restore *restore)
{
	if (!restore)
		return;
	(void)sd_event_source_disable_unref(restore->deadline);
	(void)sd_event_source_disable_unref(restore->finish);
	(void)sd_event_source_disable_unref(restore->again);
	for (size_t i = 0; i < restore->n; i++) {
		vmadj_cpu_forget(restore->tools.cpu, &restore->jobs[i]);
		vmadj_balloon_close(restore->jobs[i].balloon);
		vmadj_ledger_entry_clear(&restore->jobs[i].entry);
	}
	free(restore->jobs);
	free(restore);
}
