// SPDX-License-Identifier: GPL-2.0-only
/* access.c - a VM's process uses a file, and what the observer and the kernel say of that */
#include "tests/lib/access.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/vmm.h"
#include "tests/lib/world.h"
#include "user/util/file.h"

/* One run, in the child. */
struct run {
	struct vmadj_access *access;
	int fd, out, pipe[2];
	uint64_t file_bytes, page_bytes, file_pages;
	char *buf;
	unsigned char *map;    /* of the file */
	unsigned char *before; /* before[i] & 1: page i was in the cache */
};

static uint64_t storage_bytes(void)
{
	char text[512], *line;

	if (vmadj_file_read(AT_FDCWD, "/proc/thread-self/io", text, sizeof(text)) <= 0)
		return 0;
	line = strstr(text, "\nread_bytes:");
	return line ? strtoull(line + 12, NULL, 10) : 0;
}

static uint64_t faults(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_THREAD, &usage);
	return (uint64_t)(usage.ru_minflt + usage.ru_majflt);
}

static int find_size(struct run *run)
{
	struct stat st;

	if (fstat(run->fd, &st))
		return -errno;
	run->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	run->file_bytes = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(run->fd, BLKGETSIZE64, &run->file_bytes))
		return -errno;
	run->file_pages = (run->file_bytes + run->page_bytes - 1) / run->page_bytes;
	return 0;
}

static int read_through(const struct run *run)
{
	ssize_t got = 1;

	for (off_t at = 0; got > 0; at += got)
		got = pread(run->fd, run->buf, run->access->each_bytes, at);
	return got < 0 ? -errno : 0;
}

/* In or out of the page cache, and which pages are there now. */
static int set_up_cache(struct run *run)
{
	const struct vmadj_access *access = run->access;
	int err = 0;

	if (access->cold &&
	    (fdatasync(run->fd) || posix_fadvise(run->fd, 0, 0, POSIX_FADV_DONTNEED)))
		return -EIO;
	if (access->warm)
		err = read_through(run);
	if (err || !run->file_pages)
		return err;
	run->map = mmap(NULL, run->file_bytes, PROT_READ, MAP_SHARED, run->fd, 0);
	if (run->map == MAP_FAILED || mincore(run->map, run->file_bytes, run->before))
		return -errno;
	for (uint64_t i = 0; i < run->file_pages; i++) {
		if ((access->cold && (run->before[i] & 1)) ||
		    (access->warm && !(run->before[i] & 1)))
			return -EBUSY;
	}
	return 0;
}

static int run_open(struct run *run)
{
	struct vmadj_access *access = run->access;
	int err;

	run->fd = open(access->path, access->flags | O_RDWR | O_CLOEXEC);
	run->out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (run->fd < 0 || run->out < 0 || pipe(run->pipe))
		return -errno;
	if (access->how == VMADJ_ACCESS_MMAP)
		(void)posix_fadvise(run->fd, 0, 0, POSIX_FADV_NORMAL);
	err = find_size(run);
	if (err)
		return err;
	run->before = malloc(run->file_pages + 1);
	if (!run->before || posix_memalign((void **)&run->buf, 4096, access->each_bytes + 4096))
		return -ENOMEM;
	memset(run->buf, 'w', access->each_bytes);
	return set_up_cache(run);
}

static void run_close(struct run *run)
{
	if (run->map && run->map != MAP_FAILED)
		(void)munmap(run->map, run->file_bytes);
	free(run->before);
	free(run->buf);
	(void)close(run->fd);
	(void)close(run->out);
	(void)close(run->pipe[0]);
	(void)close(run->pipe[1]);
}

static ssize_t one_splice(const struct run *run, off_t at, size_t bytes)
{
	ssize_t got = 0, part;

	while ((size_t)got < bytes) {
		loff_t from = at + got;

		part = splice(run->fd, &from, run->pipe[1], NULL, bytes - (size_t)got, 0);
		if (part <= 0)
			return got ? got : part;
		for (ssize_t left = part; left > 0;) {
			ssize_t out = splice(run->pipe[0], NULL, run->out, NULL, (size_t)left, 0);

			if (out <= 0)
				return out;
			left -= out;
		}
		got += part;
	}
	return got;
}

/* The sanitizer's own memory beside it would be faulted in, too. */
static __attribute__((no_sanitize_address)) void touch(const volatile unsigned char *page)
{
	(void)*page;
}

static ssize_t one_call(const struct run *run, off_t at, size_t bytes)
{
	off_t from = at;

	switch (run->access->how) {
	case VMADJ_ACCESS_READ:
		return pread(run->fd, run->buf, bytes, at);
	case VMADJ_ACCESS_WRITE:
		return pwrite(run->fd, run->buf, bytes, at);
	case VMADJ_ACCESS_MMAP:
		touch(run->map + at);
		return (ssize_t)bytes;
	case VMADJ_ACCESS_SENDFILE:
		return sendfile(run->out, run->fd, &from, bytes);
	case VMADJ_ACCESS_SPLICE:
		return one_splice(run, at, bytes);
	case VMADJ_ACCESS_COPY:
		if (pread(run->fd, run->buf, bytes, at) < 0)
			return -1;
		return pwrite(run->fd, run->buf, bytes, at);
	case VMADJ_ACCESS_WRITE_THEN_READ:
		return (uint64_t)at / bytes % 2 ? pread(run->fd, run->buf, bytes, at)
						: pwrite(run->fd, run->buf, bytes, at);
	}
	return -1;
}

/* Pages that a range touches, as far as the file goes. */
static uint64_t pages_of(const struct run *run, uint64_t from, uint64_t bytes)
{
	uint64_t end = from + bytes < run->file_bytes ? from + bytes : run->file_bytes;

	return from < end ? (end - 1) / run->page_bytes - from / run->page_bytes + 1 : 0;
}

static int all_calls(struct run *run)
{
	struct vmadj_access *access = run->access;
	uint64_t each = access->each_bytes, n = (access->bytes + each - 1) / each;
	unsigned int seed = 1;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = access->random ? (uint64_t)rand_r(&seed) % n : i;

		at = access->from_bytes + at * each;
		if (one_call(run, (off_t)at, each) < 0)
			return -errno;
		access->asked_pages += pages_of(run, at, each);
	}
	return 0;
}

static int count_added(const struct run *run)
{
	unsigned char *after = malloc(run->file_pages + 1);

	if (!after)
		return -ENOMEM;
	if (run->file_pages && mincore(run->map, run->file_bytes, after)) {
		free(after);
		return -errno;
	}
	for (uint64_t i = 0; i < run->file_pages; i++)
		run->access->added_pages += (after[i] & 1) && !(run->before[i] & 1);
	free(after);
	return 0;
}

static void *run_calls(void *data)
{
	struct run *run = data;
	struct vmadj_access *access = run->access;
	uint64_t bytes = storage_bytes(), faulted = faults();
	unsigned int times = access->times ? access->times : 1;

	for (unsigned int i = 0; i < times && !access->err; i++)
		access->err = all_calls(run);
	access->faults = faults() - faulted;
	access->storage_pages = (storage_bytes() - bytes) / run->page_bytes;
	return NULL;
}

enum { PREPARE, RUN, FINISH };

/* Kept in the child from one step to the next. */
static struct run child_run;
static struct vmadj_access child_access;
static int child_step;

static void child_work(void *data)
{
	struct vmadj_access *access = data;
	pthread_t thread;

	if (child_step == PREPARE) {
		child_access = *access;
		child_run = (struct run){ .access = &child_access, .fd = -1 };
		child_access.err = run_open(&child_run);
	} else if (child_step == RUN && access->worker) {
		if (pthread_create(&thread, NULL, run_calls, &child_run))
			child_access.err = -EAGAIN;
		else
			(void)pthread_join(thread, NULL);
	} else if (child_step == RUN) {
		(void)run_calls(&child_run);
	} else if (child_step == FINISH) {
		if (!child_access.err)
			child_access.err = count_added(&child_run);
		run_close(&child_run);
	}
	child_step = (child_step + 1) % (FINISH + 1);
	*access = child_access;
}

static void step(struct vmadj_vmm *vmm, struct vmadj_access *access, const char *what)
{
	vmadj_vmm_do(vmm, child_work, access, sizeof(*access));
	if (access->err == -EBUSY)
		cr_fatal("%s: the page cache does not take it in or let it go", access->path);
	if (access->err)
		cr_fatal("%s: %s: %s", access->path, what, strerror(-access->err));
}

void vmadj_access_do(struct vmadj_world *world, struct vmadj_vmm *vmm, struct vmadj_access *access)
{
	struct vmadj_world_vm before, after;

	vmadj_world_need_pagecache(world);
	step(vmm, access, "prepare");
	(void)vmadj_world_sample(world, 0);
	before = vmadj_world_vm(world, vmadj_vmm_pid(vmm));
	step(vmm, access, "use");
	(void)vmadj_world_sample(world, 0);
	after = vmadj_world_vm(world, vmadj_vmm_pid(vmm));
	step(vmm, access, "finish");
	access->accessed_pages =
		after.vm.host_cache.accessed_pages - before.vm.host_cache.accessed_pages;
	access->missed_pages = after.vm.host_cache.miss_pages - before.vm.host_cache.miss_pages;
}

bool vmadj_access_agrees(const char *what, uint64_t ours, uint64_t theirs)
{
	uint64_t apart = ours > theirs ? ours - theirs : theirs - ours;

	if (apart * 100 <= theirs)
		return true;
	(void)fprintf(stderr, "%s: %" PRIu64 " pages, not %" PRIu64 "\n", what, ours, theirs);
	return false;
}
