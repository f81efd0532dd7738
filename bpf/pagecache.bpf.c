// SPDX-License-Identifier: GPL-2.0-only
/*
 * pagecache.bpf.c - what each VM's process asked of the host's page cache
 *
 * accessed: pages that buffered reads asked for. A read that takes several
 * steps fires an event a step, each with the range still wanted; the first one
 * counts, cut to the file's size. A fault on a mapped file asks for one page.
 * missed: pages that were added to the cache by the VM's own thread, read-ahead
 * included, and not by a write. Pages are counted, not events: a large folio is
 * one event.
 *
 * Who writes? A write holds the inode's lock (i_rwsem) as its owner while it
 * adds pages. Writes to block devices do not: what is added to a block device's
 * cache counts only once a read of the same system call has asked for it.
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

#define S_IFMT	    00170000
#define S_IFBLK	    0060000
#define OWNER_FLAGS 7ULL

char LICENSE[] SEC("license") = "GPL";

/* Key: slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, VMADJ_SLOTS);
	__type(key, __u32);
	__type(value, struct vmadj_pagecache);
} pagecache_use SEC(".maps");

const volatile __u32 pagecache_shift = 12; /* of a page */

/* 1 where the event's last index is one too high; the self-test finds out. */
__u64 pagecache_past;

static __always_inline struct vmadj_pagecache *use_of(struct task_struct *task)
{
	__u32 slot = slot_of(task);

	return slot ? bpf_map_lookup_elem(&pagecache_use, &slot) : NULL;
}

/* The pages that this read added to a block device's cache now count. */
static __always_inline void added_settle(struct vmadj_pagecache *use, __u64 mapping, __u64 call)
{
	if (use->added_mapping == mapping && use->added_call == call)
		use->missed_pages += use->added_pages;
	use->added_mapping = 0;
	use->added_pages = 0;
}

static __always_inline __u64 pages_in(struct inode *host)
{
	return (host->i_size + (1ULL << pagecache_shift) - 1) >> pagecache_shift;
}

/*
 * The read before this event's. A first step that had to wait for a page may return without an
 * event, so that the event seen first begins behind it. How much that read brought is
 * known once its call has ended, if it was the only call in between.
 */
static __always_inline void read_settle(struct vmadj_pagecache *use, __u64 call, __u64 bytes)
{
	__u64 pages = (bytes - use->read_bytes + (1ULL << pagecache_shift) - 1) >> pagecache_shift;

	if (use->read_pages && call == use->read_call + 1 && pages > use->read_pages)
		use->accessed_pages += pages - use->read_pages;
	use->read_pages = 0;
}

SEC("tp_btf/mm_filemap_get_pages")
int BPF_PROG(pagecache_get, struct address_space *mapping, unsigned long index, unsigned long last)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vmadj_pagecache *use = use_of(task);
	__u64 call, end, of = (__u64)mapping;
	bool further;

	if (!use)
		return 0;
	call = compat_calls(task);
	further = use->read_mapping == of && use->read_last == last && use->read_call == call &&
		  index > use->read_index;
	if (!further)
		read_settle(use, call, compat_read_bytes(task));
	use->read_mapping = of;
	use->read_index = index;
	use->read_last = last;
	use->read_call = call;
	added_settle(use, of, call);
	if (further)
		return 0;
	use->read_bytes = compat_read_bytes(task);
	end = last + 1 - pagecache_past;
	if (end > pages_in(mapping->host))
		end = pages_in(mapping->host);
	if (end > index)
		use->read_pages = end - index;
	use->accessed_pages += use->read_pages;
	return 0;
}

/* A read of @bytes that ended where the position is now. */
static __always_inline int read_done(struct kiocb *iocb, long bytes)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vmadj_pagecache *use = use_of(task);
	__u64 end;

	if (!use)
		return 0;
	added_settle(use, (__u64)iocb->ki_filp->f_mapping, compat_calls(task));
	if (bytes <= 0)
		return 0;
	end = iocb->ki_pos;
	use->accessed_pages +=
		((end - 1) >> pagecache_shift) - ((end - bytes) >> pagecache_shift) + 1;
	return 0;
}

SEC("fexit/filemap_read")
int BPF_PROG(pagecache_read_fexit, struct kiocb *iocb, void *iter, long already, long ret)
{
	/* What was read before this call, by direct I/O, is in the result too. */
	return read_done(iocb, ret - already);
}

/* One fault may fire both events, or one of them again: it counts when the one before is done. */
static __always_inline int fault_add(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vmadj_pagecache *use = use_of(task);
	__u64 faults;

	if (!use)
		return 0;
	faults = task->min_flt + task->maj_flt + 1;
	if (use->faults != faults)
		use->accessed_pages++;
	use->faults = faults;
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
	struct inode *host;
	__u64 pages;

	if (!use)
		return 0;
	host = folio->mapping->host;
	pages = compat_folio_pages(folio);
	if ((host->i_mode & S_IFMT) == S_IFBLK) {
		if (use->added_mapping != (__u64)folio->mapping) {
			use->added_mapping = (__u64)folio->mapping;
			use->added_pages = 0;
		}
		if (use->added_call != compat_calls(task))
			use->added_pages = 0;
		use->added_call = compat_calls(task);
		use->added_pages += pages;
	} else if (((__u64)host->i_rwsem.owner.counter & ~OWNER_FLAGS) != (__u64)task) {
		use->missed_pages += pages;
	}
	return 0;
}
