/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse.h - a snapshot from one line of JSON, as json.c writes it
 *
 * Keys that are not known are ignored, what is null or missing is unknown as snapshot.h has it.
 * Written again it is the same text. Text that is longer, or VMs or vCPUs that are more than the
 * bounds below, are refused; so is a whole number above 2^63 - 1.
 *
 * Ownership: the snapshot owns all that it points to; vmadj_snapshot_free() takes NULL.
 */
#pragma once

#include <stddef.h>

#include "user/snapshot/snapshot.h"

#define VMADJ_SNAPSHOT_TEXT_MAX	 (64U << 20)
#define VMADJ_SNAPSHOT_VMS_MAX	 16384
#define VMADJ_SNAPSHOT_VCPUS_MAX 4096 /* a VM */

/**
 * vmadj_snapshot_from_json() - read one document
 *
 * Return: 0; -EINVAL: no JSON, or not the form of docs/output.md; -EPROTONOSUPPORT: another
 * schema; -E2BIG: beyond the bounds; -ENOMEM.
 */
int vmadj_snapshot_from_json(const char *text, size_t len, struct vmadj_snapshot **ret_snapshot);
void vmadj_snapshot_free(struct vmadj_snapshot *snapshot);
