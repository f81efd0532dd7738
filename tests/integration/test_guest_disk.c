/* SPDX-License-Identifier: GPL-2.0-only */
/* test_guest_disk.c - a Linux guest reads its disk image through the host's page cache */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/access.h"
#include "tests/lib/qmp.h"
#include "tests/lib/world.h"
#include "user/util/file.h"

#define DISK_MIB   96
#define DISK_PAGES ((uint64_t)DISK_MIB << 20 >> 12)

TestSuite(guest_disk, .timeout = 120, .fini = vmadj_world_close_all);

/* Written whole, since a hole costs no reading, and out of the page cache. */
static void fill_disk(const char *path)
{
	static char block[1 << 20];
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	memset(block, 'd', sizeof(block));
	for (int i = 0; i < DISK_MIB; i++) {
		if (pwrite(fd, block, sizeof(block), (off_t)i << 20) != sizeof(block))
			cr_fatal("%s cannot be written", path);
	}
	if (fdatasync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		cr_fatal("%s stays in the page cache", path);
	(void)close(fd);
}

/* What the process had read from storage, all its threads together. */
static uint64_t storage_pages(pid_t pid)
{
	char path[32], text[512], *line;

	(void)snprintf(path, sizeof(path), "/proc/%d/io", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) <= 0)
		cr_fatal("%s cannot be read", path);
	line = strstr(text, "\nread_bytes:");
	return line ? strtoull(line + 12, NULL, 10) >> 12 : 0;
}

/* Pages that the guest asked for, as QEMU says; what became of them, by us and by the kernel. */
struct use {
	uint64_t asked, accessed, missed, stored;
};

/* While the guest stands still: then all three tell of the same moment. */
static struct use read_use(struct vmadj_world *world, struct vmadj_monitor *qmp, pid_t pid)
{
	struct vmadj_world_vm row;
	struct use use;

	vmadj_monitor_stop(qmp);
	(void)vmadj_world_sample(world, 0.05);
	row = vmadj_world_vm(world, pid);
	use = (struct use){ vmadj_monitor_read_bytes(qmp) >> 12, row.vm.host_cache.accessed_pages,
			    row.vm.host_cache.miss_pages, storage_pages(pid) };
	vmadj_monitor_continue(qmp);
	return use;
}

static void check(const char *when, const struct use *a, const struct use *b)
{
	uint64_t asked = b->asked - a->asked, accessed = b->accessed - a->accessed;
	uint64_t missed = b->missed - a->missed, stored = b->stored - a->stored;

	cr_log_info("%s: asked for %lu: %lu accessed, %lu missed, %lu from storage", when,
		    (unsigned long)asked, (unsigned long)accessed, (unsigned long)missed,
		    (unsigned long)stored);
	cr_expect(vmadj_access_agrees("accessed", accessed, asked), "%s", when);
	cr_expect(vmadj_access_agrees("missed", missed, stored), "%s", when);
}

/*
 * The guest reads its disk over and over: it is cold the first time, warm from then on. How
 * much of it the host forgets meanwhile is the host's business, and in the kernel's figures.
 */
static void read_cold_then_warm(const char *cache)
{
	const struct vmadj_lab_linux want = {
		.load = "diskread", .disk_mib = DISK_MIB, .cache = cache, .thread_names = true
	};
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open();
	struct use start, cold, warm;
	struct vmadj_monitor *qmp;
	pid_t pid;

	vmadj_world_need_pagecache(world);
	vmadj_lab_require(vmadj_lab_linux_start(&want, &vm));
	pid = vmadj_lab_vm_pid(vm);
	qmp = vmadj_monitor_open(vmadj_lab_vm_path(vm, VMADJ_LAB_QMP));
	(void)vmadj_world_sample(world, 0.5);
	vmadj_monitor_stop(qmp);
	fill_disk(vmadj_lab_vm_path(vm, VMADJ_LAB_DISK));
	start = read_use(world, qmp, pid);
	for (cold = start; cold.asked - start.asked < DISK_PAGES * 5 / 4;
	     cold = read_use(world, qmp, pid))
		(void)vmadj_world_sample(world, 0.5);
	check("cold", &start, &cold);
	cr_expect(ge(u64, cold.missed - start.missed, DISK_PAGES / 100 * 99));
	for (warm = cold; warm.asked - cold.asked < DISK_PAGES; warm = read_use(world, qmp, pid))
		(void)vmadj_world_sample(world, 0.5);
	check("warm", &cold, &warm);
	cr_expect(lt(u64, warm.missed - cold.missed, (warm.accessed - cold.accessed) / 4));
	vmadj_monitor_close(qmp);
}

Test(guest_disk, is_cold_then_warm)
{
	read_cold_then_warm("writeback");
}

/* As libvirt's io='io_uring': reads are asked for by one thread and may be done by another. */
Test(guest_disk, is_cold_then_warm_by_io_uring)
{
	char disabled[8] = "";

	(void)vmadj_file_read(AT_FDCWD, "/proc/sys/kernel/io_uring_disabled", disabled,
			      sizeof(disabled));
	if (disabled[0] > '0')
		cr_skip_test("io_uring is not allowed on this host");
	read_cold_then_warm("writeback,aio=io_uring");
}

Test(guest_disk, past_the_hosts_cache_counts_nothing)
{
	const struct vmadj_lab_linux want = {
		.load = "diskread", .disk_mib = 64, .cache = "none", .thread_names = true
	};
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_world_vm row;

	vmadj_world_need_pagecache(world);
	vmadj_lab_require(vmadj_lab_linux_start(&want, &vm));
	(void)vmadj_world_sample(world, 1);
	(void)vmadj_world_sample(world, 2);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	cr_expect(eq(u64, row.vm.delta.accessed_pages, 0));
	cr_expect(eq(u64, row.vm.delta.miss_pages, 0));
	cr_expect(isnan(row.vm.host_cache.hit_pct));
}
