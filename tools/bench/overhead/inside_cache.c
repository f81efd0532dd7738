// SPDX-License-Identifier: GPL-2.0-only
/*
 * inside_cache.c - instructions a page that is read, from the page cache and from the disk
 *
 * The disk is memory (brd): a CPU that waited for another would count what it does meanwhile. Read
 * by a process of no VM, and by one that has a VM: that is counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "tools/bench/bench.h"
#include "tools/bench/overhead/inside.h"
#include "user/util/cleanup.h"

#define FILE_PATH "/mnt/file" /* inside.sh mounts it */
#define PAGES	  64
#define PAGE	  4096
#define WINDOWS	  100
#define SETTLE_MS 2500

static int read_all(int fd)
{
	static char page[PAGE];

	for (off_t i = 0; i < PAGES; i++) {
		if (pread(fd, page, PAGE, i * PAGE) != PAGE)
			return -EIO;
	}
	return 0;
}

static int make_file(int *ret_fd)
{
	static const char page[PAGE] = { 1 };
	int fd = open(FILE_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	for (off_t i = 0; i < PAGES; i++) {
		if (pwrite(fd, page, PAGE, i * PAGE) != PAGE)
			return -EIO;
	}
	*ret_fd = fd;
	return fsync(fd) ? -errno : 0;
}

static int read_windows(int fd, bool miss, double *ret_cost)
{
	struct vmadj_bench_series series = { 0 };
	int err = read_all(fd);

	for (int i = 0; i < WINDOWS && !err; i++) {
		uint64_t start;

		if (miss && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
			return -EIO;
		start = vmadj_inside_now();
		err = read_all(fd);
		vmadj_bench_series_add(&series, (double)(vmadj_inside_now() - start) / PAGES);
	}
	*ret_cost = vmadj_bench_series_at(&series, 0.5);
	return err;
}

static int measure(const struct vmadj_inside_running *running, const char *hit, const char *miss)
{
	_cleanup_close_ int fd = -1;
	double cost = 0;
	int err = make_file(&fd);

	if (!err)
		err = read_windows(fd, false, &cost);
	if (err)
		return err;
	vmadj_inside_figure(running, hit, cost);
	err = read_windows(fd, true, &cost);
	if (err)
		return err;
	vmadj_inside_figure(running, miss, cost);
	return 0;
}

/* A tool that did not count them did not pay for them; the module does not know the page cache. */
static int check_seen(const struct vmadj_inside_running *running)
{
	struct vmadj_inside_sample sample = { 0 };
	int err;

	if (running->tool->kind != VMADJ_INSIDE_OURS)
		return 0;
	err = vmadj_inside_ours_sample(running, &sample);
	if (!err && sample.accessed_pages < 2ULL * WINDOWS * PAGES) {
		(void)fprintf(stderr, "%s: counted %llu pages\n", running->tool->name,
			      (unsigned long long)sample.accessed_pages);
		return -ENODATA;
	}
	return err;
}

static int be_vm(const struct vmadj_inside_running *running)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int err;

	if (kvm < 0 || ioctl(kvm, KVM_CREATE_VM, 0) < 0)
		return -errno;
	(void)vmadj_bench_sleep_ms(SETTLE_MS);
	err = measure(running, "hit_vm", "miss_vm");
	return err ? err : check_seen(running);
}

int vmadj_inside_cache(const struct vmadj_inside_running *running)
{
	int status, err = measure(running, "hit", "miss");
	pid_t pid;

	if (err)
		return err;
	pid = fork();
	if (!pid)
		_exit(be_vm(running) ? 1 : 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return status ? -EIO : 0;
}
