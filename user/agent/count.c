// SPDX-License-Identifier: GPL-2.0-only
/* count.c - counts what all threads of this guest ask of its page cache */
#include "user/agent/count.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/magic.h>

#include "guest.skel.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"
#include "user/util/probe.h"

#define TEST_BYTES 65536 /* whole pages, however large these are */

struct vmadj_count {
	struct guest_bpf *skel;
	const struct vmadj_guest_total *totals; /* totals[i]: on CPU i */
	size_t cpus;
	struct vmadj_guest_total base; /* what the self-test itself has counted */
};

static int fail(int err, char *why, size_t size, const char *what)
{
	(void)snprintf(why, size, "%s: %s", what, strerror(-err));
	return err;
}

/* What the first column has is used where the kernel has it, else the second. */
static int choose(struct guest_bpf *skel, const struct btf *kernel)
{
	bool get = vmadj_probe_tracepoint(kernel, "mm_filemap_get_pages");
	bool fault = vmadj_probe_tracepoint(kernel, "mm_filemap_fault");
	bool map = vmadj_probe_tracepoint(kernel, "mm_filemap_map_pages");
	int err = get ? 0 : vmadj_probe_fexit(kernel, "filemap_read");

	if (err)
		return err;
	if (!vmadj_probe_tracepoint(kernel, "mm_filemap_add_to_page_cache"))
		return -EOPNOTSUPP;
	bpf_program__set_autoload(skel->progs.guest_get, get);
	bpf_program__set_autoload(skel->progs.guest_read_fexit, !get);
	bpf_program__set_autoload(skel->progs.guest_fault_btf, fault);
	bpf_program__set_autoload(skel->progs.guest_fault_fentry,
				  !fault && !vmadj_probe_fexit(kernel, "filemap_fault"));
	bpf_program__set_autoload(skel->progs.guest_map_btf, map);
	bpf_program__set_autoload(skel->progs.guest_map_fentry,
				  !map && !vmadj_probe_fexit(kernel, "filemap_map_pages"));
	return 0;
}

static int count_open(struct vmadj_count *count, char *why, size_t why_size)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	int err = (int)libbpf_get_error(kernel);

	if (err) {
		log_debug("the kernel's types: %s", strerror(-err));
		(void)snprintf(why, why_size, "this kernel does not tell its types (no BTF)");
		return -ENODATA;
	}
	count->skel = guest_bpf__open();
	err = count->skel ? choose(count->skel, kernel) : -errno;
	/* Loading reads it again: not both at once. */
	btf__free(kernel);
	return err ? fail(err, why, why_size, "BPF programs for files cannot be used") : 0;
}

static int count_load(struct vmadj_count *count)
{
	int cpus = libbpf_num_possible_cpus(), err;
	void *totals;

	if (cpus < 0)
		return cpus;
	count->skel->rodata->pagecache_shift = (__u32)ffsl(sysconf(_SC_PAGESIZE)) - 1;
	err = bpf_map__set_max_entries(count->skel->maps.guest_total, (__u32)cpus);
	if (!err)
		err = guest_bpf__load(count->skel);
	if (err)
		return err;
	totals = mmap(NULL, (size_t)cpus * sizeof(*count->totals), PROT_READ, MAP_SHARED,
		      bpf_map__fd(count->skel->maps.guest_total), 0);
	if (totals == MAP_FAILED)
		return -errno;
	count->totals = totals;
	count->cpus = (size_t)cpus;
	return guest_bpf__attach(count->skel);
}

/*
 * A file whose reads go through the page cache, and which is in it: our own program. tmpfs does
 * without the functions that we count at.
 */
static int test_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) || fs.f_type != TMPFS_MAGIC)
		return fd;
	(void)close(fd);
	return -1;
}

/* The tester's file counts wherever it is, and is read a second time: then it is in the cache. */
static int count_test(struct vmadj_count *count, char *why, size_t why_size)
{
	static char buf[TEST_BYTES];
	const __u64 pages = TEST_BYTES / (__u64)sysconf(_SC_PAGESIZE);
	_cleanup_close_ int fd = test_file();
	struct vmadj_guest_total before, after;
	struct guest_bpf__bss *bss = count->skel->bss;

	if (fd < 0 || pread(fd, buf, sizeof(buf), 0) != sizeof(buf))
		return 0;
	bss->guest_tester = (int)syscall(SYS_gettid);
	(void)!pread(fd, buf, 1, 0);
	bss->pagecache_past = bss->guest_range == 2;
	before = vmadj_count_read(count);
	(void)!pread(fd, buf, sizeof(buf), 0);
	after = vmadj_count_read(count);
	bss->guest_tester = 0;
	if (after.hit_pages - before.hit_pages == pages &&
	    after.missed_pages == before.missed_pages)
		return 0;
	(void)snprintf(why, why_size, "wrong counts: %llu hits, %llu misses in %llu pages of cache",
		       after.hit_pages - before.hit_pages, after.missed_pages - before.missed_pages,
		       pages);
	return -EBADMSG;
}

int vmadj_count_start(struct vmadj_count **ret_count, char *why, size_t why_size)
{
	struct vmadj_count *count = calloc(1, sizeof(*count));
	int err;

	if (!count)
		return fail(-ENOMEM, why, why_size, "counting");
	err = count_open(count, why, why_size);
	if (!err) {
		err = count_load(count);
		if (err)
			(void)fail(err, why, why_size, "the kernel refuses BPF programs");
	}
	if (!err)
		err = count_test(count, why, why_size);
	/* The kernel's types took some MiB. */
	(void)malloc_trim(0);
	if (err) {
		vmadj_count_stop(count);
		return err;
	}
	count->base = vmadj_count_read(count);
	*ret_count = count;
	return 0;
}

void vmadj_count_stop(struct vmadj_count *count)
{
	if (!count)
		return;
	if (count->totals)
		(void)munmap((void *)count->totals, count->cpus * sizeof(*count->totals));
	guest_bpf__destroy(count->skel);
	free(count);
}

struct vmadj_guest_total vmadj_count_read(const struct vmadj_count *count)
{
	struct vmadj_guest_total sum = { 0 };

	for (size_t i = 0; i < count->cpus; i++) {
		const volatile struct vmadj_guest_total *on = &count->totals[i];

		sum.hit_pages += on->hit_pages;
		sum.missed_pages += on->missed_pages;
		sum.lost += on->lost;
	}
	sum.hit_pages -= count->base.hit_pages;
	sum.missed_pages -= count->base.missed_pages;
	return sum;
}
