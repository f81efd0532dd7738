/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pagecache.bpf.h - what one event adds to what a thread asked of the page cache: the formula, for
 * the threads of VMs on a host (pagecache.bpf.c) and for all threads in a guest (guest.bpf.c)
 *
 * accessed: pages that buffered reads asked for. A read that takes several
 * steps fires an event a step, each with the range still wanted; the first one
 * counts, cut to the file's size. A fault on a mapped file asks for one page.
 * missed: pages that were added to the cache by the thread itself, read-ahead
 * included, and not by a write. Pages are counted, not events: a large folio is
 * one event.
 *
 * Who writes? A write holds the inode's lock (i_rwsem) as its owner while it
 * adds pages. Writes to block devices do not: what is added to a block device's
 * cache counts only once a read of the same system call has asked for it.
 */
#pragma once

#define S_IFMT	    00170000
#define S_IFREG	    0100000
#define S_IFBLK	    0060000
#define OWNER_FLAGS 7ULL

const volatile __u32 pagecache_shift = 12; /* of a page */

/* 1 where the event's last index is one too high; a self-test finds out. */
__u64 pagecache_past;

/* What an event adds. */
struct pages {
	__u64 accessed;
	__u64 missed;
};

static __always_inline __u64 pages_in(struct inode *host)
{
	return (host->i_size + (1ULL << pagecache_shift) - 1) >> pagecache_shift;
}

static __always_inline bool is_block(struct inode *host)
{
	return (host->i_mode & S_IFMT) == S_IFBLK;
}

/* Return: the pages that this read added to a block device's cache, which now count. */
static __always_inline __u64 added_settle(struct vmadj_pagecache_state *state, __u64 mapping,
					  __u64 call)
{
	__u64 pages = 0;

	if (state->added_mapping == mapping && state->added_call == call)
		pages = state->added_pages;
	state->added_mapping = 0;
	state->added_pages = 0;
	return pages;
}

/*
 * The read before this event's. A first step that had to wait for a page may return without an
 * event, so that the event seen first begins behind it. How much that read brought is
 * known once its call has ended, if it was the only call in between.
 *
 * Return: the pages that were not counted.
 */
static __always_inline __u64 read_settle(struct vmadj_pagecache_state *state, __u64 call,
					 __u64 bytes)
{
	__u64 pages =
		(bytes - state->read_bytes + (1ULL << pagecache_shift) - 1) >> pagecache_shift;
	__u64 before = state->read_pages;

	state->read_pages = 0;
	return before && call == state->read_call + 1 && pages > before ? pages - before : 0;
}

/* mm_filemap_get_pages */
static __always_inline struct pages read_step(struct vmadj_pagecache_state *state,
					      struct task_struct *task,
					      struct address_space *mapping, __u64 index,
					      __u64 last)
{
	__u64 call = compat_calls(task), of = (__u64)mapping, end;
	struct pages pages = {};
	bool further;

	further = state->read_mapping == of && state->read_last == last &&
		  state->read_call == call && index > state->read_index;
	if (!further)
		pages.accessed = read_settle(state, call, compat_read_bytes(task));
	state->read_mapping = of;
	state->read_index = index;
	state->read_last = last;
	state->read_call = call;
	pages.missed = added_settle(state, of, call);
	if (further)
		return pages;
	state->read_bytes = compat_read_bytes(task);
	end = last + 1 - pagecache_past;
	if (end > pages_in(mapping->host))
		end = pages_in(mapping->host);
	if (end > index)
		state->read_pages = end - index;
	pages.accessed += state->read_pages;
	return pages;
}

/* The return of filemap_read: @bytes, which end where the position is now. */
static __always_inline struct pages read_done(struct vmadj_pagecache_state *state,
					      struct task_struct *task, struct kiocb *iocb,
					      long bytes)
{
	struct pages pages = {
		.missed = added_settle(state, (__u64)iocb->ki_filp->f_mapping, compat_calls(task)),
	};
	__u64 end = iocb->ki_pos;

	if (bytes > 0)
		pages.accessed =
			((end - 1) >> pagecache_shift) - ((end - bytes) >> pagecache_shift) + 1;
	return pages;
}

/* One fault may fire several events, or one of them again: it counts when the one before is done.
 */
static __always_inline struct pages fault_step(struct vmadj_pagecache_state *state,
					       struct task_struct *task)
{
	__u64 faults = task->min_flt + task->maj_flt + 1;
	struct pages pages = { .accessed = state->faults != faults };

	state->faults = faults;
	return pages;
}

/* mm_filemap_add_to_page_cache */
static __always_inline struct pages page_added(struct vmadj_pagecache_state *state,
					       struct task_struct *task, struct folio *folio)
{
	struct inode *host = folio->mapping->host;
	__u64 n = compat_folio_pages(folio);
	struct pages pages = {};

	if (is_block(host)) {
		if (state->added_mapping != (__u64)folio->mapping) {
			state->added_mapping = (__u64)folio->mapping;
			state->added_pages = 0;
		}
		if (state->added_call != compat_calls(task))
			state->added_pages = 0;
		state->added_call = compat_calls(task);
		state->added_pages += n;
	} else if (((__u64)host->i_rwsem.owner.counter & ~OWNER_FLAGS) != (__u64)task) {
		pages.missed = n;
	}
	return pages;
}
