/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ledger_file.h - the ledger's file: lines of JSON, appended
 *
 * Errors:    0 or a negative errno.
 * Ownership: vmadj_ledger_file_close() takes NULL and gives the lock back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct vmadj_ledger_entry;
struct vmadj_ledger_file;

/* @forget: only vm.id and knob are there. Return: 0; -errno ends the reading. */
typedef int (*vmadj_ledger_line)(void *userdata, const struct vmadj_ledger_entry *entry,
				 bool forget);

/**
 * vmadj_ledger_file_open() - lock DIR/ledger and give each of its lines to @line, first to last
 *
 * Return: 0; -EBUSY; -errno; what @line returned.
 */
int vmadj_ledger_file_open(const char *dir, vmadj_ledger_line line, void *userdata,
			   struct vmadj_ledger_file **ret_file);
void vmadj_ledger_file_close(struct vmadj_ledger_file *file);

/* Return: 0; -ENOMEM. */
int vmadj_ledger_file_add(struct vmadj_ledger_file *file, const struct vmadj_ledger_entry *entry);
int vmadj_ledger_file_forget(struct vmadj_ledger_file *file,
			     const struct vmadj_ledger_entry *entry);

/**
 * vmadj_ledger_file_flush() - write the lines that were added, all of them or none
 *
 * @sync: wait until they are on disk. Return: 0; -ENOSPC; -EIO; -errno.
 */
int vmadj_ledger_file_flush(struct vmadj_ledger_file *file, bool sync);

/* So much longer than @n entries need that it should be rewritten. */
bool vmadj_ledger_file_is_long(const struct vmadj_ledger_file *file, size_t n);

/** vmadj_ledger_file_rewrite() - put a new file in its place; Return: 0, or -errno and the old one.
 */
int vmadj_ledger_file_rewrite(struct vmadj_ledger_file *file,
			      const struct vmadj_ledger_entry *entries, size_t n);
