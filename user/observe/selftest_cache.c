// SPDX-License-Identifier: GPL-2.0-only
/* selftest_cache.c - reads and writes of a file of our own, held against its size */
#include "user/observe/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "user/observe/checks.h"
#include "user/observe/life.h"
#include "user/observe/pagecache.h"
#include "user/observe/tagged.h"

#define PAGES 64

struct job {
	int fd;
	off_t from;
	unsigned int pages;
	bool write;
	size_t chunk_pages; /* read at once */
	bool failed;
};

struct counts {
	uint64_t accessed, missed;
};

/* A file system whose files live in the page cache alone has nothing to miss. */
static bool has_storage(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC;
}

static int open_file(void)
{
	const char *const dirs[] = { getenv("TMPDIR"), "/var/tmp", "/tmp", "." };
	char path[4096];
	int fd;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (!dirs[i])
			continue;
		(void)snprintf(path, sizeof(path), "%s/vmadjust-bpf-XXXXXX", dirs[i]);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd < 0)
			continue;
		(void)unlink(path);
		if (has_storage(fd))
			return fd;
		(void)close(fd);
	}
	return -ENODEV;
}

static void work(void *data)
{
	struct job *job = data;
	size_t page = (size_t)sysconf(_SC_PAGESIZE), at = 0, end = job->pages * page;
	size_t chunk = job->chunk_pages * page;
	char *buf = calloc(1, chunk);
	ssize_t done = buf ? 1 : -1;

	while (done > 0 && at < end) {
		done = job->write ? pwrite(job->fd, buf, chunk, job->from + (off_t)at)
				  : pread(job->fd, buf, chunk, job->from + (off_t)at);
		at += done > 0 ? (size_t)done : 0;
	}
	free(buf);
	job->failed = at < end;
}

/* Evict the file; Return: whether none of it is cached any more. */
static bool evict(int fd)
{
	size_t len = PAGES * (size_t)sysconf(_SC_PAGESIZE);
	unsigned char there[PAGES];
	bool none = true;
	void *map;

	if (fdatasync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		return false;
	map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return false;
	if (mincore(map, len, there))
		none = false;
	for (int i = 0; i < PAGES && none; i++)
		none = !(there[i] & 1);
	(void)munmap(map, len);
	return none;
}

struct test {
	struct vmadj_pagecache_view *cache;
	struct vmadj_tagged *tagged;
	int fd;
	char why[192];
};

static struct counts run(struct test *test, struct job job)
{
	const struct vmadj_pagecache *use =
		vmadj_pagecache_at(test->cache, vmadj_tagged_slot(test->tagged, 0));
	struct counts before = { use->accessed_pages, use->missed_pages };

	job.fd = test->fd;
	vmadj_tagged_run(test->tagged, work, &job);
	if (job.failed)
		return (struct counts){ UINT64_MAX, UINT64_MAX };
	return (struct counts){ use->accessed_pages - before.accessed,
				use->missed_pages - before.missed };
}

static int expect(struct test *test, const char *what, struct counts got, struct counts want)
{
	if (got.accessed == want.accessed && got.missed == want.missed)
		return 0;
	(void)snprintf(test->why, sizeof(test->why),
		       "%s: %" PRIu64 " accessed, %" PRIu64 " missed, not %" PRIu64 " and %" PRIu64,
		       what, got.accessed, got.missed, want.accessed, want.missed);
	return -EBADMSG;
}

static int run_all(struct test *test)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct counts got;
	int err;

	got = run(test, (struct job){ .pages = PAGES, .write = true, .chunk_pages = 1 });
	err = expect(test, "writes", got, (struct counts){ 0, 0 });
	if (err)
		return err;
	if (!evict(test->fd))
		return -EAGAIN;
	got = run(test, (struct job){ .pages = PAGES, .chunk_pages = PAGES });
	err = expect(test, "cold read", got, (struct counts){ PAGES, PAGES });
	if (err)
		return err;
	/* Where one page is read and two are told of, the last is one too many. */
	got = run(test, (struct job){ .from = (off_t)page, .pages = 1, .chunk_pages = 1 });
	if (got.accessed == 2)
		vmadj_pagecache_set_past(test->cache, 1);
	got = run(test, (struct job){ .pages = PAGES / 2, .chunk_pages = 1 });
	err = expect(test, "warm reads", got, (struct counts){ PAGES / 2, 0 });
	if (err)
		return err;
	got = run(test, (struct job){ .pages = PAGES, .chunk_pages = PAGES });
	return expect(test, "one warm read", got, (struct counts){ PAGES, 0 });
}

static int prepare(struct test *test, struct vmadj_life *life)
{
	int err;

	test->fd = open_file();
	if (test->fd < 0) {
		(void)snprintf(test->why, sizeof(test->why),
			       "not tested: no folder on a disk to make a file in");
		return test->fd;
	}
	err = vmadj_tagged_start(life, 1, &test->tagged);
	return err ? err : vmadj_pagecache_refresh(test->cache, vmadj_life_slots(life));
}

int vmadj_selftest_pagecache(struct vmadj_life *life, struct vmadj_pagecache_view *cache,
			     struct vmadj_checks *checks)
{
	static const struct vmadj_lack lack = {
		"self-test",
		"host page cache",
		VMADJ_CHECK_MISSING,
		"host_cache is not known for any VM: a wrong figure would be worse",
		"set TMPDIR to a folder on a disk if there was none; else please report it with the line above",
	};
	struct test test = { .cache = cache, .fd = -1 };
	int err = prepare(&test, life);

	if (!err)
		err = run_all(&test);
	vmadj_tagged_stop(test.tagged);
	if (test.fd >= 0)
		(void)close(test.fd);
	if (err) {
		vmadj_checks_lack(checks, &lack, "%s", test.why[0] ? test.why : strerror(-err));
	} else {
		vmadj_checks_ok(checks, "self-test", "host page cache",
				"%d pages: cold, warm and written ones told apart", PAGES);
	}
	return err;
}
