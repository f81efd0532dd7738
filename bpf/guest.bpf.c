// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest.bpf.c - what all threads of a guest asked of its own page cache
 *
 * What is counted, and how, is in pagecache.bpf.h. Only regular files of file systems that need a
 * block device, and block devices: more memory saves no read of any other.
 *
 * A page that a thread asks for is a hit, unless the thread has brought in a page that it did not
 * ask for before: then it is that one, whose miss has been counted. A scan in 4 KiB with read-ahead
 * of 128 KiB brings 32 pages (32 misses) and then asks 32 times (no hit); done again, 32 hits.
 *
 * At mm_filemap_get_pages where the kernel has it (6.12 has, 6.1 has not), else at the return of
 * filemap_read. Faults at their tracepoints (6.12), else at the entry of the two functions.
 * Cost: for a file on a disk one look-up in task storage, which a thread gets at its first such
 * event and which is freed with it. Racy on purpose: nothing; totals are added to atomically, for
 * a program on a function's entry or return may be preempted.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "bpf/guest.h"
#include "bpf/compat.bpf.h"
#include "bpf/pagecache.bpf.h"

#define FS_REQUIRES_DEV 1

/*
 * No read-ahead of a thread is longer: 4 MiB. What a mapping brings in is seldom asked for by as
 * many faults, for these map the pages around them, too; it must not eat up hits for ever.
 */
#define AHEAD_MAX 1024

char LICENSE[] SEC("license") = "GPL";

/* Of every thread that used a file on a disk. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct vmadj_guest_task);
} guest_task SEC(".maps");

/* Key: CPU; as many as there may be. Not a per-CPU map: those cannot be read through mmap. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vmadj_guest_total);
} guest_total SEC(".maps");

/* The thread whose every file counts, wherever it is: the self-test's; 0: none. */
pid_t guest_tester;

/* Pages that the tester's last read asked for by its event, to find pagecache_past. */
__u64 guest_range;

static __always_inline bool is_on_disk(struct inode *host)
{
	if ((host->i_mode & S_IFMT) == S_IFREG)
		return host->i_sb->s_type->fs_flags & FS_REQUIRES_DEV;
	return is_block(host);
}

static __always_inline void add(__u64 *to, __u64 n)
{
	if (n)
		__sync_fetch_and_add(to, n);
}

static __always_inline struct vmadj_guest_total *total(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&guest_total, &cpu);
}

static __always_inline void count(struct vmadj_guest_task *of, struct pages pages)
{
	struct vmadj_guest_total *to = total();
	__u64 ahead = of->ahead_pages + pages.missed;
	__u64 used = pages.accessed < ahead ? pages.accessed : ahead;

	of->ahead_pages = ahead - used < AHEAD_MAX ? ahead - used : AHEAD_MAX;
	if (!to)
		return;
	add(&to->hit_pages, pages.accessed - used);
	add(&to->missed_pages, pages.missed);
}

/* NULL: what this thread does with a file of @host does not count. */
static __always_inline struct vmadj_guest_task *record_of(struct task_struct *task,
							  struct inode *host)
{
	struct vmadj_guest_task *of;
	struct vmadj_guest_total *to;

	if (!is_on_disk(host) && (!guest_tester || task->pid != guest_tester))
		return NULL;
	of = bpf_task_storage_get(&guest_task, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (of)
		return of;
	to = total();
	if (to)
		add(&to->lost, 1);
	return NULL;
}

SEC("tp_btf/mm_filemap_get_pages")
int BPF_PROG(guest_get, struct address_space *mapping, unsigned long index, unsigned long last)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vmadj_guest_task *of = record_of(task, mapping->host);

	if (!of)
		return 0;
	if (task->pid == guest_tester)
		guest_range = last - index + 1;
	count(of, read_step(&of->state, task, mapping, index, last));
	return 0;
}

SEC("fexit/filemap_read")
int BPF_PROG(guest_read_fexit, struct kiocb *iocb, void *iter, long already, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vmadj_guest_task *of = record_of(task, iocb->ki_filp->f_mapping->host);

	/* What was read before this call, by direct I/O, is in the result too. */
	if (of)
		count(of, read_done(&of->state, task, iocb, ret - already));
	return 0;
}

static __always_inline int fault_in(struct address_space *mapping)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vmadj_guest_task *of = record_of(task, mapping->host);

	if (of)
		count(of, fault_step(&of->state, task));
	return 0;
}

SEC("tp_btf/mm_filemap_fault")
int BPF_PROG(guest_fault_btf, struct address_space *mapping)
{
	return fault_in(mapping);
}

SEC("tp_btf/mm_filemap_map_pages")
int BPF_PROG(guest_map_btf, struct address_space *mapping)
{
	return fault_in(mapping);
}

SEC("fentry/filemap_fault")
int BPF_PROG(guest_fault_fentry, struct vm_fault *fault)
{
	return fault_in(fault->vma->vm_file->f_mapping);
}

SEC("fentry/filemap_map_pages")
int BPF_PROG(guest_map_fentry, struct vm_fault *fault)
{
	return fault_in(fault->vma->vm_file->f_mapping);
}

SEC("tp_btf/mm_filemap_add_to_page_cache")
int BPF_PROG(guest_add, struct folio *folio)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vmadj_guest_task *of = record_of(task, folio->mapping->host);

	if (of)
		count(of, page_added(&of->state, task, folio));
	return 0;
}
