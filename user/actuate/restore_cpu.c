/* SPDX-License-Identifier: GPL-2.0-only */
/* restore_cpu.c - put a VM's CPU share back */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/actuate/cpu.h"
#include "user/actuate/restore_private.h"

static void place_of(const struct vmadj_ledger_entry *entry, struct vmadj_cpu_place *place)
{
	*place = (struct vmadj_cpu_place){
		.kind = vmadj_cpu_kind_of(entry->kind),
		.owner = !strcmp(entry->owner, "libvirt")   ? "libvirt"
			 : !strcmp(entry->owner, "systemd") ? "systemd"
							    : NULL,
	};
	(void)snprintf(place->group, sizeof(place->group), "%s", entry->group);
	(void)snprintf(place->unit, sizeof(place->unit), "%s", entry->unit);
}

static void on_put(void *userdata, int err, const char *why)
{
	struct vmadj_restore_job *job = userdata;

	if (err == -ESRCH) {
		vmadj_restore_end(job, VMADJ_RESTORE_GONE, NULL);
	} else if (err) {
		vmadj_restore_fail(job, err, why);
	} else {
		vmadj_restore_end(job, VMADJ_RESTORE_DONE, NULL);
	}
}

void vmadj_restore_cpu(struct vmadj_restore_job *job)
{
	const struct vmadj_ledger_entry *entry = &job->entry;
	struct vmadj_cpu *cpu = vmadj_restore_tools_of(job)->cpu;
	struct vmadj_cpu_place place;
	int err;

	place_of(entry, &place);
	err = vmadj_cpu_read(cpu, &entry->vm, &place);
	if (err) {
		on_put(job, err, vmadj_cpu_why(cpu));
		return;
	}
	if (!strcmp(place.value, entry->original)) {
		vmadj_restore_end(job, VMADJ_RESTORE_DONE, "it was so already");
		return;
	}
	if (vmadj_ledger_is_theirs(entry, place.value)) {
		vmadj_restore_end(job, VMADJ_RESTORE_THEIRS, NULL);
		return;
	}
	err = vmadj_cpu_put(cpu, &entry->vm, &place, entry->original, on_put, job);
	if (err != -EINPROGRESS)
		on_put(job, err, vmadj_cpu_why(cpu));
}
