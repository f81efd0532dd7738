/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * restore_private.h - one knob that is being put back
 */
#pragma once

#include "user/actuate/balloon.h"
#include "user/actuate/ledger.h"
#include "user/actuate/restore.h"

enum vmadj_restored {
	VMADJ_RESTORE_OPEN,
	VMADJ_RESTORE_DONE,
	VMADJ_RESTORE_THEIRS,
	VMADJ_RESTORE_GONE,
	VMADJ_RESTORE_FAILED,
};

struct vmadj_restore_job {
	struct vmadj_restore *restore;
	struct vmadj_ledger_entry entry; /* a copy */
	enum vmadj_restored state;
	bool begun;
	char why[96]; /* of the last try that failed; "": none has */
	struct vmadj_balloon *balloon;
	bool theirs; /* but for the period of its statistics */
};

const struct vmadj_restore_tools *vmadj_restore_tools_of(const struct vmadj_restore_job *job);

/* The job is over; @why for people, may be NULL. */
void vmadj_restore_end(struct vmadj_restore_job *job, enum vmadj_restored state, const char *why);

/* It did not work: over, or tried again where @err says that it may work soon. */
void vmadj_restore_fail(struct vmadj_restore_job *job, int err, const char *why);

/* Each ends the job by one of these, now or later. */
void vmadj_restore_cpu(struct vmadj_restore_job *job);
void vmadj_restore_memory(struct vmadj_restore_job *job);
