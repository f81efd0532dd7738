/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * count.h - counts what all threads of this guest ask of its page cache, where its kernel lets us
 *
 * Needs CAP_BPF and CAP_PERFMON until vmadj_count_start() is done, nothing afterwards.
 *
 * Units:     pages of the kernel's size.
 * Errors:    a negative errno, with the reason in at most VMADJ_REPORT_WHY_MAX bytes.
 * Ownership: vmadj_count_stop() takes NULL.
 */
#pragma once

#include <stddef.h>

#include <linux/types.h>

#include "bpf/guest.h"

struct vmadj_count;

/**
 * vmadj_count_start() - load and attach the programs, and hold them against a read of our own
 *
 * Return: 0; -ENODATA: this kernel does not tell its types (no BTF); -EOPNOTSUPP: it has not the
 * events; -EBADMSG: what it counts is wrong; or what it refused the programs with (-EPERM, -ENOSYS,
 * ...). @why then is the reason.
 */
int vmadj_count_start(struct vmadj_count **ret_count, char *why, size_t why_size);
void vmadj_count_stop(struct vmadj_count *count);

/* Pages since vmadj_count_start(). */
struct vmadj_guest_total vmadj_count_read(const struct vmadj_count *count);
