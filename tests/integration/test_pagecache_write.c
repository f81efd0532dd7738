/* SPDX-License-Identifier: GPL-2.0-only */
/* test_pagecache_write.c - what a VM's process writes counts nothing, what it reads beside does */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/access.h"
#include "tests/lib/loop.h"
#include "tests/lib/vmm.h"
#include "tests/lib/world.h"

#define PAGES 1024UL
#define PAGE  4096UL
#define MIB   (1UL << 20)

static struct vmadj_vmm *vmm;

static void clean_up(void)
{
	vmadj_vmm_stop(vmm);
	vmadj_loop_detach_all();
	vmadj_world_close_all();
}

TestSuite(write, .timeout = 60, .fini = clean_up);
TestSuite(block, .timeout = 60, .fini = clean_up);

static void run(const char *path, struct vmadj_access *access)
{
	struct vmadj_world *world = vmadj_world_open();

	vmm = vmadj_vmm_start(NULL);
	(void)snprintf(access->path, sizeof(access->path), "%s", path);
	(void)vmadj_world_sample(world, 0.2);
	vmadj_access_do(world, vmm, access);
	cr_log_info("%lu asked, %lu added, %lu from storage, %lu faults; %lu accessed, %lu missed",
		    (unsigned long)access->asked_pages, (unsigned long)access->added_pages,
		    (unsigned long)access->storage_pages, (unsigned long)access->faults,
		    (unsigned long)access->accessed_pages, (unsigned long)access->missed_pages);
}

static struct vmadj_access do_with_file(unsigned long pages, struct vmadj_access access)
{
	_cleanup_lab_file_ char *path = NULL;

	vmadj_lab_require(vmadj_lab_file_new(pages, &path));
	run(path, &access);
	return access;
}

static struct vmadj_access do_with_disk(struct vmadj_access access)
{
	_cleanup_lab_file_ char *path = NULL;

	vmadj_lab_require(vmadj_lab_file_new(PAGES, &path));
	run(vmadj_loop_attach(path), &access);
	vmadj_vmm_stop(vmm);
	vmm = NULL;
	vmadj_loop_detach_all();
	return access;
}

static void check_nothing(const struct vmadj_access *access)
{
	cr_expect(eq(u64, access->accessed_pages, 0));
	cr_expect(eq(u64, access->missed_pages, 0));
}

Test(write, a_growing_file_counts_nothing)
{
	struct vmadj_access access = do_with_file(
		0, (struct vmadj_access){
			   .how = VMADJ_ACCESS_WRITE, .bytes = PAGES * PAGE, .each_bytes = 65536 });

	check_nothing(&access);
}

Test(write, pages_not_cached_that_are_overwritten_count_nothing)
{
	struct vmadj_access access =
		do_with_file(PAGES, (struct vmadj_access){ .how = VMADJ_ACCESS_WRITE,
							   .cold = true,
							   .bytes = PAGES * PAGE,
							   .each_bytes = 65536 });

	check_nothing(&access);
	cr_expect(gt(u64, access.added_pages, PAGES / 2), "they came into the cache");
}

/* Each write changes a part of a page that has to be read first. */
Test(write, pages_read_to_be_changed_count_nothing)
{
	struct vmadj_access access =
		do_with_file(PAGES, (struct vmadj_access){ .how = VMADJ_ACCESS_WRITE,
							   .cold = true,
							   .from_bytes = 100,
							   .bytes = PAGES * PAGE - PAGE,
							   .each_bytes = 5000 });

	check_nothing(&access);
	cr_expect(gt(u64, access.storage_pages, PAGES / 2), "they were read");
}

Test(write, cached_pages_that_are_overwritten_count_nothing)
{
	struct vmadj_access access =
		do_with_file(PAGES, (struct vmadj_access){ .how = VMADJ_ACCESS_WRITE,
							   .warm = true,
							   .bytes = PAGES * PAGE,
							   .each_bytes = PAGE });

	check_nothing(&access);
}

Test(write, synchronous_writes_count_nothing)
{
	struct vmadj_access access =
		do_with_file(PAGES / 4, (struct vmadj_access){ .how = VMADJ_ACCESS_WRITE,
							       .cold = true,
							       .flags = O_DSYNC,
							       .bytes = PAGES / 4 * PAGE,
							       .each_bytes = 65536 });

	check_nothing(&access);
}

Test(write, direct_writes_count_nothing)
{
	struct vmadj_access access =
		do_with_file(PAGES, (struct vmadj_access){ .how = VMADJ_ACCESS_WRITE,
							   .cold = true,
							   .flags = O_DIRECT,
							   .bytes = PAGES * PAGE,
							   .each_bytes = 65536 });

	check_nothing(&access);
}

Test(write, a_thread_that_reads_and_writes_counts_its_reads)
{
	struct vmadj_access access =
		do_with_file(PAGES, (struct vmadj_access){ .how = VMADJ_ACCESS_COPY,
							   .cold = true,
							   .bytes = PAGES * PAGE,
							   .each_bytes = 65536 });

	cr_expect(vmadj_access_agrees("accessed", access.accessed_pages, PAGES));
	cr_expect(vmadj_access_agrees("missed", access.missed_pages, PAGES));
}

/* The first half grows the file's cache by writing, the second half by reading. */
Test(write, reads_and_writes_of_one_file_are_told_apart)
{
	struct vmadj_access access =
		do_with_file(PAGES, (struct vmadj_access){ .how = VMADJ_ACCESS_WRITE_THEN_READ,
							   .cold = true,
							   .bytes = PAGES * PAGE,
							   .each_bytes = 4 * PAGE });

	cr_expect(vmadj_access_agrees("accessed", access.accessed_pages, PAGES / 2));
	cr_expect(vmadj_access_agrees("missed", access.missed_pages, access.storage_pages));
}

static void check_reads(const struct vmadj_access *access)
{
	cr_expect(vmadj_access_agrees("accessed", access->accessed_pages, access->asked_pages));
	cr_expect(vmadj_access_agrees("missed", access->missed_pages, access->storage_pages));
}

Test(block, cold_reads_miss)
{
	struct vmadj_access access = do_with_disk(
		(struct vmadj_access){ .cold = true, .bytes = PAGES * PAGE, .each_bytes = PAGE });

	check_reads(&access);
	cr_expect(ge(u64, access.storage_pages, PAGES));
}

Test(block, long_cold_reads_miss)
{
	struct vmadj_access access = do_with_disk(
		(struct vmadj_access){ .cold = true, .bytes = PAGES * PAGE, .each_bytes = MIB });

	check_reads(&access);
}

Test(block, cold_reads_in_no_order_miss_with_their_read_ahead)
{
	struct vmadj_access access = do_with_disk((struct vmadj_access){
		.cold = true, .random = true, .bytes = PAGES * PAGE, .each_bytes = PAGE });

	check_reads(&access);
}

Test(block, warm_reads_hit)
{
	struct vmadj_access access = do_with_disk((struct vmadj_access){
		.warm = true, .times = 2, .bytes = PAGES * PAGE, .each_bytes = 65536 });

	check_reads(&access);
	cr_expect(eq(u64, access.missed_pages, 0));
}

Test(block, direct_reads_count_nothing)
{
	struct vmadj_access access = do_with_disk((struct vmadj_access){
		.cold = true, .flags = O_DIRECT, .bytes = PAGES * PAGE, .each_bytes = 65536 });

	check_nothing(&access);
}

Test(block, writes_count_nothing)
{
	struct vmadj_access access = do_with_disk((struct vmadj_access){ .how = VMADJ_ACCESS_WRITE,
									 .cold = true,
									 .bytes = PAGES * PAGE,
									 .each_bytes = 65536 });

	check_nothing(&access);
	cr_expect(gt(u64, access.added_pages, PAGES / 2), "they came into the cache");
}

Test(block, pages_read_to_be_changed_count_nothing)
{
	struct vmadj_access access =
		do_with_disk((struct vmadj_access){ .how = VMADJ_ACCESS_WRITE,
						    .cold = true,
						    .from_bytes = 100,
						    .bytes = PAGES * PAGE - PAGE,
						    .each_bytes = 5000 });

	check_nothing(&access);
}

Test(block, a_thread_that_reads_and_writes_counts_its_reads)
{
	struct vmadj_access access = do_with_disk((struct vmadj_access){ .how = VMADJ_ACCESS_COPY,
									 .cold = true,
									 .bytes = PAGES * PAGE,
									 .each_bytes = 65536 });

	cr_expect(vmadj_access_agrees("accessed", access.accessed_pages, PAGES));
	cr_expect(vmadj_access_agrees("missed", access.missed_pages, PAGES));
}

Test(block, reads_and_writes_of_one_disk_are_told_apart)
{
	struct vmadj_access access =
		do_with_disk((struct vmadj_access){ .how = VMADJ_ACCESS_WRITE_THEN_READ,
						    .cold = true,
						    .bytes = PAGES * PAGE,
						    .each_bytes = 4 * PAGE });

	cr_expect(vmadj_access_agrees("accessed", access.accessed_pages, PAGES / 2));
	cr_expect(vmadj_access_agrees("missed", access.missed_pages, access.storage_pages));
}
