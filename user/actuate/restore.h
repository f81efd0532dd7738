/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * restore.h - put knobs back as the ledger says they were
 *
 * A knob that is neither as it was nor as we left it is somebody else's by now, and is
 * left alone; so is a VM that has ended, or runs under another start time. Memory that the
 * guest uses by now is not taken back from it. What could not be put back stays in the ledger.
 *
 * Errors:    what became of each knob is logged.
 * Threads:   one thread, that of the event loop.
 * Ownership: vmadj_restore_free() takes NULL, and calls back nobody. The tools must outlive it.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

struct vmadj_cpu;
struct vmadj_ledger;
struct vmadj_ledger_entry;
struct vmadj_libvirt;
struct vmadj_restore;

struct vmadj_restore_tools {
	sd_event *event;
	struct vmadj_ledger *ledger;
	struct vmadj_cpu *cpu;
	struct vmadj_libvirt *libvirt; /* NULL: what is libvirt's cannot be put back */
};

/* Which entries; NULL: whatever. */
struct vmadj_restore_which {
	const char *by, *vm_id, *knob;
};

struct vmadj_restore_sum {
	unsigned int restored, theirs, gone, failed;
};

typedef void (*vmadj_restore_done)(void *userdata, const struct vmadj_restore_sum *sum);

/**
 * vmadj_restore_start() - begin; @done comes from the event loop, exactly once
 *
 * What has not answered after 15 s counts as failed.
 *
 * Return: 0; -ENOMEM; -errno of sd-event.
 */
int vmadj_restore_start(const struct vmadj_restore_tools *tools,
			const struct vmadj_restore_which *which, vmadj_restore_done done,
			void *userdata, struct vmadj_restore **ret_restore);
void vmadj_restore_free(struct vmadj_restore *restore);
