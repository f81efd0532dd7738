/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmlinux.h - the kernel types that bpf/ reads, and of them only the fields it reads
 *
 * Offsets are relocated at load time (CO-RE), so order and gaps do not matter
 * and one page serves every architecture and kernel. tests/integration/
 * test_vmlinux.c holds each field against the running kernel's BTF. What differs
 * between kernels is in bpf/compat.bpf.h.
 */
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef int pid_t;
typedef _Bool bool;
enum { false = 0, true = 1 };

/* The constants of <linux/bpf.h> that the helpers' declarations and our maps need. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum {
	BPF_ANY = 0,
	BPF_F_NO_PREALLOC = 1U << 0,
	BPF_F_MMAPABLE = 1U << 10,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1U << 0,
};

#define __kernel_type __attribute__((preserve_access_index))

struct qstr {
	const unsigned char *name;
} __kernel_type;

struct dentry {
	struct qstr d_name;
} __kernel_type;

struct path {
	struct dentry *dentry;
} __kernel_type;

struct file_system_type {
	int fs_flags;
} __kernel_type;

struct super_block {
	unsigned long s_magic;
	struct file_system_type *s_type;
} __kernel_type;

struct rw_semaphore {
	struct {
		long long counter;
	} owner;
} __kernel_type;

struct inode {
	unsigned short i_mode;
	struct super_block *i_sb;
	long long i_size;
	struct rw_semaphore i_rwsem;
} __kernel_type;

struct address_space {
	struct inode *host;
} __kernel_type;

struct file {
	struct path f_path;
	struct inode *f_inode;
	struct address_space *f_mapping;
	void *private_data;
} __kernel_type;

struct vm_area_struct {
	struct file *vm_file;
} __kernel_type;

struct vm_fault {
	struct vm_area_struct *vma;
} __kernel_type;

struct kiocb {
	struct file *ki_filp;
	long long ki_pos;
} __kernel_type;

struct folio {
	unsigned long flags;
	struct address_space *mapping;
	unsigned long index;
} __kernel_type;

struct linux_binprm {
	struct file *file;
} __kernel_type;

struct upid {
	int nr;
} __kernel_type;

struct pid {
	struct upid numbers[1];
} __kernel_type;

struct mm_struct {
	struct file *exe_file;
} __kernel_type;

struct cfs_rq {
	int throttle_count;
} __kernel_type;

struct sched_entity {
	struct cfs_rq *cfs_rq;
	__u64 exec_start;
	__u64 sum_exec_runtime;
	__u64 prev_sum_exec_runtime;
	__u64 nr_migrations;
} __kernel_type;

struct sched_info {
	unsigned long long run_delay;
} __kernel_type;

struct task_io_accounting {
	__u64 rchar;
	__u64 syscr;
	__u64 syscw;
} __kernel_type;

struct bpf_local_storage;

struct thread_info {
	__u32 cpu;
} __kernel_type;

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	unsigned int flags;
	int on_cpu;
	struct sched_entity se;
	struct sched_info sched_info;
	struct mm_struct *mm;
	pid_t pid;
	pid_t tgid;
	struct task_struct *group_leader;
	unsigned long nvcsw;
	unsigned long nivcsw;
	unsigned long min_flt;
	unsigned long maj_flt;
	__u64 start_boottime;
	char comm[16];
	struct task_io_accounting ioac;
	struct bpf_local_storage *bpf_storage;
} __kernel_type;

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} __kernel_type;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __kernel_type;

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
} __kernel_type;
