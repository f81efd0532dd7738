// SPDX-License-Identifier: GPL-2.0-only
/*
 * pagecache.bpf.c - what each VM's process asked of the host's page cache
 *
 * What is counted, and how, is in pagecache.bpf.h.
 *
 * At mm_filemap_get_pages where the kernel has it (6.12 has, 6.1 has not), else
 * at the return of filemap_read. Cost: one load for a thread without a tag.
 * Racy on purpose: nothing; a record is written by its own thread.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "bpf/life.h"
#include "bpf/tags.bpf.h"
#include "bpf/pagecache.h"
#include "bpf/compat.bpf.h"
#include "bpf/pagecache.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Key: slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, VMADJ_SLOTS);
	__type(key, __u32);
	__type(value, struct vmadj_pagecache);
} pagecache_use SEC(".maps");

static __always_inline struct vmadj_pagecache *use_of(struct task_struct *task)
{
	__u32 slot = slot_of(task);

	return slot ? bpf_map_lookup_elem(&pagecache_use, &slot) : NULL;
}

static __always_inline void count(struct vmadj_pagecache *use, struct pages pages)
{
	use->accessed_pages += pages.accessed;
	use->missed_pages += pages.missed;
}

SEC("tp_btf/mm_filemap_get_pages")
int BPF_PROG(pagecache_get, struct address_space *mapping, unsigned long index, unsigned long last)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vmadj_pagecache *use = use_of(task);

	if (use)
		count(use, read_step(&use->state, task, mapping, index, last));
	return 0;
}

SEC("fexit/filemap_read")
int BPF_PROG(pagecache_read_fexit, struct kiocb *iocb, void *iter, long already, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vmadj_pagecache *use = use_of(task);

	/* What was read before this call, by direct I/O, is in the result too. */
	if (use)
		count(use, read_done(&use->state, task, iocb, ret - already));
	return 0;
}

static __always_inline int fault_add(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vmadj_pagecache *use = use_of(task);

	if (use)
		count(use, fault_step(&use->state, task));
	return 0;
}

SEC("tp_btf/mm_filemap_fault")
int BPF_PROG(pagecache_fault)
{
	return fault_add();
}

SEC("tp_btf/mm_filemap_map_pages")
int BPF_PROG(pagecache_map)
{
	return fault_add();
}

SEC("tp_btf/mm_filemap_add_to_page_cache")
int BPF_PROG(pagecache_add, struct folio *folio)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vmadj_pagecache *use = use_of(task);

	if (use)
		count(use, page_added(&use->state, task, folio));
	return 0;
}
