/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat.bpf.h - every difference between kernels, one accessor each
 *
 * An entry names the version, the commit's subject and when it may go.
 */
#pragma once

/*
 * Since 6.18 the flags of a folio are a struct around one word ("mm: introduce
 * memdesc_flags_t"). May go when 6.12 is no longer supported by Debian.
 */
struct folio___v618 {
	struct {
		unsigned long f;
	} flags;
} __kernel_type;

static __always_inline unsigned long compat_folio_flags(struct folio *folio)
{
	if (bpf_core_field_exists(struct folio___v618, flags.f))
		return BPF_CORE_READ((struct folio___v618 *)folio, flags.f);
	return BPF_CORE_READ(folio, flags);
}

/*
 * Since 6.15 the number of pages is folio->_nr_pages, before it was
 * _folio_nr_pages (both 64 bit only). May go with the one above.
 */
struct folio___v615 {
	unsigned int _nr_pages;
} __kernel_type;

struct folio___pre_v615 {
	unsigned int _folio_nr_pages;
} __kernel_type;

enum pageflags {
	PG_head = 6,
};

static __always_inline __u64 compat_folio_pages(struct folio *folio)
{
	if (!(compat_folio_flags(folio) >> bpf_core_enum_value(enum pageflags, PG_head) & 1))
		return 1;
	if (bpf_core_field_exists(struct folio___v615, _nr_pages))
		return BPF_CORE_READ((struct folio___v615 *)folio, _nr_pages);
	return BPF_CORE_READ((struct folio___pre_v615 *)folio, _folio_nr_pages);
}

/*
 * Since 6.18 a limit (cpu.max) takes tasks off the CPU one by one ("sched/fair: Task based
 * throttle"), before it took whole run queues. Without CONFIG_CFS_BANDWIDTH there is none.
 */
struct task_struct___v618 {
	bool throttled;
} __kernel_type;

static __always_inline bool compat_throttled(struct task_struct *task)
{
	if (bpf_core_field_exists(struct task_struct___v618, throttled))
		return ((struct task_struct___v618 *)task)->throttled;
	if (bpf_core_field_exists(struct cfs_rq, throttle_count))
		return task->se.cfs_rq->throttle_count > 0;
	return false;
}

/*
 * The path of a file is f_path; since 6.17 it is a member of a union ("fs: constify f_path").
 * CO-RE finds it in both; nothing to do. What may be missing is the counting
 * of system calls (CONFIG_TASK_XACCT): then all calls look like one.
 */
static __always_inline __u64 compat_calls(struct task_struct *task)
{
	if (!bpf_core_field_exists(task->ioac.syscr))
		return 0;
	return task->ioac.syscr + task->ioac.syscw;
}

/* What reads have brought; grows when a call ends. */
static __always_inline __u64 compat_read_bytes(struct task_struct *task)
{
	return bpf_core_field_exists(task->ioac.rchar) ? task->ioac.rchar : 0;
}
