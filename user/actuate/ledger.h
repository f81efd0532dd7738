/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ledger.h - how every knob that was turned stood before, on disk
 *
 * What is about to be changed is written down first, so that whoever comes after a kill -9
 * knows what to put back, and can tell our value from one that somebody else has set
 * meanwhile: a knob that is neither as it was (original), nor as we wanted it (ours), nor as it
 * stood when we wanted that (before: it may have failed) is theirs.
 *
 * The file is JSON Lines in DIR/ledger, appended to, rewritten when it has grown; the last line
 * of a VM's knob counts. A line that was cut off by a full disk or a crash is as if never written.
 *
 * Errors:    0 or a negative errno, also -ENOSPC: then nothing must be changed.
 * Threads:   one; the file is locked against a second process.
 * Ownership: a ledger owns its entries; they live until the next call that changes them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/virt/target.h"

struct vmadj_ledger;

/* Texts are never NULL; "" where there is none. */
struct vmadj_ledger_entry {
	struct vmadj_target vm; /* its strings are the entry's own; uuid and manager may be NULL */
	char *knob;		/* "cpu", "memory", "memory-period" */
	char *kind, *owner, *group, *unit; /* where: cpu.h, balloon.h */
	char *by;			   /* the policy, or "hand" */
	char *original, *ours, *before;	   /* values, in the knob's own form */
	bool stale;			   /* of an earlier boot: the VM cannot be the same */
};

/* A knob that has @value now is neither as we left it nor as we had it before: it is theirs. */
bool vmadj_ledger_is_theirs(const struct vmadj_ledger_entry *entry, const char *value);

/** vmadj_ledger_entry_copy() - a copy that the caller clears; Return: 0; -ENOMEM. */
int vmadj_ledger_entry_copy(const struct vmadj_ledger_entry *entry,
			    struct vmadj_ledger_entry *ret_entry);
void vmadj_ledger_entry_clear(struct vmadj_ledger_entry *entry);

/**
 * vmadj_ledger_open() - read what an earlier process left, and lock it
 *
 * @dir is made (0700) where it is missing. Lines that cannot be understood are said and left out.
 *
 * Return: 0; -EBUSY: another process has it; -errno of open(2) and the like; -ENOMEM.
 */
int vmadj_ledger_open(const char *dir, struct vmadj_ledger **ret_ledger);
void vmadj_ledger_close(struct vmadj_ledger *ledger);

size_t vmadj_ledger_count(const struct vmadj_ledger *ledger);
const struct vmadj_ledger_entry *vmadj_ledger_at(const struct vmadj_ledger *ledger, size_t i);
const struct vmadj_ledger_entry *vmadj_ledger_find(const struct vmadj_ledger *ledger,
						   const char *vm_id, const char *knob);

/**
 * vmadj_ledger_note() - @entry's knob is about to be set to entry->ours
 *
 * For a knob that has an entry, its original is kept. entry->before is what the knob has now.
 * Nothing is on disk before vmadj_ledger_commit(), and nothing must be turned before that.
 *
 * Return: 0; -ENOMEM.
 */
int vmadj_ledger_note(struct vmadj_ledger *ledger, const struct vmadj_ledger_entry *entry);

/* The knob is as it was, or theirs, or its VM is gone: takes effect with the next commit. */
int vmadj_ledger_forget(struct vmadj_ledger *ledger, const char *vm_id, const char *knob);

/**
 * vmadj_ledger_commit() - put what was noted on disk
 *
 * When it fails what was noted since the last commit is forgotten again, in memory and on disk.
 * A knob's first entry is waited for (fdatasync), later ones survive our death only.
 *
 * Return: 0; -ENOSPC; -EIO; -errno of write(2).
 */
int vmadj_ledger_commit(struct vmadj_ledger *ledger);
