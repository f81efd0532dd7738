// SPDX-License-Identifier: GPL-2.0-only
/*
 * exact_cache.c - page-cache accesses and misses of a VM, against what its process did
 *
 * Accesses are held against the pattern, misses against what the kernel says the
 * process had read from storage (/proc/PID/io), since the host may drop pages from the
 * cache at any time.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lab/lab.h"
#include "tools/bench/bench.h"
#include "tools/bench/watch.h"
#include "user/util/file.h"

#define PAGE	       4096
#define FILE_PAGES     8192
#define SMALL_MEMORY   "67108864" /* bytes; the large file is twice that */
#define LARGE_PAGES    32768
#define RUNS	       5
#define SAMPLE_MS      20
#define CGROUP_TRIES   100
#define CGROUP_WAIT_MS 10

struct pattern {
	const char *what;
	const char *name; /* as vmadj_lab_kvm_io() has it */
	bool warm;	  /* read the file before */
	bool nothing;	  /* goes past the cache's reading side: counts nothing */
	bool large;	  /* more than the VM's memory allows */
};

static const struct pattern patterns[] = {
	{ .what = "cold, sequential", .name = "cold" },
	{ .what = "warm, sequential", .name = "warm", .warm = true },
	{ .what = "cold, random 4 KiB", .name = "random-cold" },
	{ .what = "warm, random 4 KiB", .name = "random", .warm = true },
	{ .what = "direct I/O", .name = "direct", .nothing = true },
	{ .what = "writes", .name = "write", .nothing = true },
	{ .what = "larger than memory, again and again", .name = "warm", .large = true },
};

struct truth {
	double accessed, missed;
};

static int read_from_storage(pid_t pid, double *ret_pages)
{
	char path[64], text[512];
	const char *line;
	uint64_t bytes;

	(void)snprintf(path, sizeof(path), "/proc/%d/io", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return -ESRCH;
	line = strstr(text, "\nread_bytes:");
	if (!line || sscanf(line, "\nread_bytes: %" SCNu64, &bytes) != 1)
		return -ENODATA;
	*ret_pages = (double)bytes / PAGE;
	return 0;
}

/* Has the VM's process do it. */
static int do_pattern(struct vmadj_bench *bench, struct vmadj_lab_vm *vm,
		      const struct pattern *pattern, const char *file, struct truth *ret_truth)
{
	unsigned long pages = pattern->large ? LARGE_PAGES : FILE_PAGES;
	double before = 0, after = 0;
	struct vmadj_lab_io io = { 0 };
	int err = read_from_storage(vmadj_lab_vm_pid(vm), &before);

	if (err)
		return vmadj_bench_fail(bench, err, "/proc/PID/io: %s", strerror(-err));
	err = vmadj_lab_kvm_io(vm, pattern->name, file, pages, &io);
	if (err)
		return vmadj_bench_fail(bench, err, "%s", vmadj_lab_why());
	err = read_from_storage(vmadj_lab_vm_pid(vm), &after);
	ret_truth->accessed = (double)io.accessed;
	ret_truth->missed = after - before;
	return err;
}

/* Pages counted where none should be; else the greater deviation in percent. */
static double judge(const struct pattern *pattern, const struct truth *truth,
		    const struct vmadj_snap_delta *ours)
{
	double accessed = (double)ours->accessed_pages, missed = (double)ours->miss_pages;
	double most = truth->missed > truth->accessed ? truth->missed : truth->accessed;

	if (pattern->nothing)
		return accessed + missed;
	return 100 * fmax(fabs(accessed - truth->accessed) / truth->accessed,
			  fabs(missed - truth->missed) / most);
}

static int measure(struct vmadj_bench *bench, struct vmadj_bench_watch *watch,
		   struct vmadj_lab_vm *vm, const struct pattern *pattern,
		   struct vmadj_bench_series *series)
{
	_cleanup_lab_file_ char *file = NULL;
	int err = vmadj_lab_file_new(pattern->large ? LARGE_PAGES : FILE_PAGES, &file);

	/* The first run brings the VMM's own code into memory, which are faults on files too. */
	for (int i = 0; i <= RUNS && !err; i++) {
		const struct vmadj_snap_vm *row;
		struct truth truth = { 0 };

		if (pattern->warm)
			err = vmadj_lab_file_warm(file);
		if (!err)
			err = vmadj_bench_watch_sample(watch, SAMPLE_MS);
		if (!err)
			err = do_pattern(bench, vm, pattern, file, &truth);
		if (!err)
			err = vmadj_bench_watch_sample(watch, SAMPLE_MS);
		if (err)
			break;
		row = vmadj_bench_watch_vm(watch, vmadj_lab_vm_pid(vm));
		if (!row || !row->host_cache.known) {
			return vmadj_bench_fail(bench, -ENOTSUP,
						"this kernel does not tell page-cache accesses");
		}
		if (i)
			vmadj_bench_series_add(series, judge(pattern, &truth, &row->delta));
	}
	return err && !bench->why[0] ? vmadj_bench_fail(bench, err, "%s", vmadj_lab_why()) : err;
}

/* A memory control group of our own; Return: 0; -errno: this host has none for us. */
static int cgroup_new(char *ret_dir, size_t size)
{
	bool v2 = access("/sys/fs/cgroup/memory", F_OK) != 0;
	char limit[160];
	int fd, err = 0;

	(void)snprintf(ret_dir, size, "/sys/fs/cgroup/%svmadj-bench-%d", v2 ? "" : "memory/",
		       (int)getpid());
	if (mkdir(ret_dir, 0755))
		return -errno;
	(void)snprintf(limit, sizeof(limit), "%s/%s", ret_dir,
		       v2 ? "memory.max" : "memory.limit_in_bytes");
	fd = open(limit, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, SMALL_MEMORY, strlen(SMALL_MEMORY)) < 0)
		err = -errno;
	if (fd >= 0)
		(void)close(fd);
	if (err)
		(void)rmdir(ret_dir);
	return err;
}

/* A process that was killed leaves its group a moment later. */
static void cgroup_remove(const char *dir)
{
	for (int i = 0; i < CGROUP_TRIES && rmdir(dir) && errno == EBUSY; i++)
		(void)usleep(CGROUP_WAIT_MS * 1000);
}

static int with_vm(struct vmadj_bench *bench, struct vmadj_bench_watch *watch, const char *cgroup,
		   const struct pattern *pattern, struct vmadj_bench_series *series)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	const struct vmadj_lab_kvm want = { .cgroup = cgroup };
	int err = vmadj_lab_kvm_start(&want, &vm);

	if (err)
		return vmadj_bench_fail(bench, err, "%s", vmadj_lab_why());
	return measure(bench, watch, vm, pattern, series);
}

static int with_cgroup(struct vmadj_bench *bench, struct vmadj_bench_watch *watch,
		       const struct pattern *pattern, struct vmadj_bench_series *series)
{
	char cgroup[128];
	int err = cgroup_new(cgroup, sizeof(cgroup));

	if (err) {
		return vmadj_bench_fail(bench, err, "no memory limit to be had: %s",
					strerror(-err));
	}
	err = with_vm(bench, watch, cgroup, pattern, series);
	cgroup_remove(cgroup);
	return err;
}

static int report(struct vmadj_bench *bench, const struct pattern *pattern,
		  const struct vmadj_bench_series *series)
{
	char what[96];
	const struct vmadj_bench_row row = {
		.what = what,
		.unit = pattern->nothing ? "pages" : "%",
		.sense = VMADJ_BENCH_AT_MOST,
		.bar = pattern->nothing ? 0 : 1,
		.worst = !pattern->nothing, /* the VMM's code may fault in at any time */
	};

	(void)snprintf(what, sizeof(what), "page cache, %s: %s", pattern->what,
		       pattern->nothing ? "counted" : "deviation");
	return vmadj_bench_report_add(bench->report, &row, series);
}

int vmadj_bench_exact_cache(struct vmadj_bench *bench)
{
	struct vmadj_bench_watch watch;
	int err = vmadj_bench_watch_open(&watch);

	if (err)
		return err;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]) && !err; i++) {
		struct vmadj_bench_series series = { 0 };

		err = patterns[i].large ? with_cgroup(bench, &watch, &patterns[i], &series)
					: with_vm(bench, &watch, NULL, &patterns[i], &series);
		if (!err)
			err = report(bench, &patterns[i], &series);
	}
	vmadj_bench_watch_close(&watch);
	return err;
}
