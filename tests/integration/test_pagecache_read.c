/* SPDX-License-Identifier: GPL-2.0-only */
/* test_pagecache_read.c - what a VM's process reads of files, warm and cold */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "tests/lab/require.h"
#include "tests/lib/access.h"
#include "tests/lib/cgroup.h"
#include "tests/lib/vmm.h"
#include "tests/lib/world.h"
#include "user/util/probe.h"

#define PAGES 2048UL
#define PAGE  4096UL
#define MIB   (1UL << 20)

static struct vmadj_vmm *vmm;

static void clean_up(void)
{
	vmadj_vmm_stop(vmm);
	vmadj_world_close_all();
	vmadj_cgroup_remove_all();
}

TestSuite(read, .timeout = 60, .fini = clean_up);

/* Does it with a file of @pages; all that came from storage is a miss. */
static struct vmadj_access do_with_file(unsigned long pages, struct vmadj_access access)
{
	_cleanup_lab_file_ char *path = NULL;
	struct vmadj_world *world = vmadj_world_open();

	vmm = vmadj_vmm_start(NULL);
	vmadj_lab_require(vmadj_lab_file_new(pages, &path));
	(void)snprintf(access.path, sizeof(access.path), "%s", path);
	(void)vmadj_world_sample(world, 0.2);
	vmadj_access_do(world, vmm, &access);
	cr_log_info("%lu asked, %lu added, %lu from storage, %lu faults; %lu accessed, %lu missed",
		    (unsigned long)access.asked_pages, (unsigned long)access.added_pages,
		    (unsigned long)access.storage_pages, (unsigned long)access.faults,
		    (unsigned long)access.accessed_pages, (unsigned long)access.missed_pages);
	return access;
}

/* What came from storage is the truth: somebody else may have emptied the cache meanwhile. */
static void check(const struct vmadj_access *access)
{
	cr_expect(vmadj_access_agrees("accessed", access->accessed_pages, access->asked_pages));
	cr_expect(vmadj_access_agrees("missed", access->missed_pages, access->storage_pages));
}

Test(read, cold_sequential_reads_all_miss)
{
	struct vmadj_access access = do_with_file(
		PAGES,
		(struct vmadj_access){ .cold = true, .bytes = PAGES * PAGE, .each_bytes = PAGE });

	check(&access);
	cr_expect(ge(u64, access.storage_pages, PAGES));
}

Test(read, warm_sequential_reads_all_hit)
{
	struct vmadj_access access = do_with_file(
		PAGES,
		(struct vmadj_access){ .warm = true, .bytes = PAGES * PAGE, .each_bytes = PAGE });

	check(&access);
	cr_expect(eq(u64, access.missed_pages, 0));
}

Test(read, random_reads_miss_with_their_read_ahead)
{
	struct vmadj_access access =
		do_with_file(PAGES * 4, (struct vmadj_access){ .cold = true,
							       .random = true,
							       .bytes = PAGES * PAGE * 4,
							       .each_bytes = PAGE });

	check(&access);
}

Test(read, random_reads_of_a_warm_file_hit)
{
	struct vmadj_access access = do_with_file(
		PAGES,
		(struct vmadj_access){
			.warm = true, .random = true, .bytes = PAGES * PAGE, .each_bytes = PAGE });

	check(&access);
}

Test(read, one_long_cold_read_counts_each_page_once)
{
	struct vmadj_access access = do_with_file(
		PAGES, (struct vmadj_access){
			       .cold = true, .bytes = PAGES * PAGE, .each_bytes = 4 * MIB });

	check(&access);
}

Test(read, one_long_warm_read_counts_each_page_once)
{
	struct vmadj_access access = do_with_file(
		PAGES,
		(struct vmadj_access){
			.warm = true, .times = 3, .bytes = PAGES * PAGE, .each_bytes = 4 * MIB });

	check(&access);
}

Test(read, reads_across_page_borders_ask_for_both_pages)
{
	struct vmadj_access access =
		do_with_file(PAGES, (struct vmadj_access){ .warm = true,
							   .from_bytes = 1,
							   .bytes = PAGES * PAGE - 5000,
							   .each_bytes = 3000 });

	check(&access);
}

Test(read, cold_reads_across_page_borders_miss_once)
{
	struct vmadj_access access =
		do_with_file(PAGES, (struct vmadj_access){ .cold = true,
							   .from_bytes = 1,
							   .bytes = PAGES * PAGE - 70000,
							   .each_bytes = 65536 });

	check(&access);
}

Test(read, a_buffer_longer_than_the_file_asks_for_the_file)
{
	struct vmadj_access access = do_with_file(
		100, (struct vmadj_access){
			     .cold = true, .times = 20, .bytes = MIB, .each_bytes = MIB });

	check(&access);
	cr_expect(eq(u64, access.asked_pages, 2000));
}

Test(read, reads_behind_the_end_ask_for_nothing)
{
	struct vmadj_access access = do_with_file(
		16,
		(struct vmadj_access){
			.warm = true, .from_bytes = 16 * PAGE, .bytes = MIB, .each_bytes = PAGE });

	cr_expect(eq(u64, access.accessed_pages, 0));
	cr_expect(eq(u64, access.missed_pages, 0));
}

Test(read, direct_reads_count_nothing)
{
	struct vmadj_access access =
		do_with_file(PAGES, (struct vmadj_access){ .cold = true,
							   .flags = O_DIRECT,
							   .bytes = PAGES * PAGE,
							   .each_bytes = 65536 });

	cr_expect(eq(u64, access.accessed_pages, 0));
	cr_expect(eq(u64, access.missed_pages, 0));
	cr_expect(ge(u64, access.storage_pages, PAGES), "it did read");
}

Test(read, a_thread_made_for_the_read_counts_for_its_vm)
{
	struct vmadj_access access = do_with_file(
		PAGES,
		(struct vmadj_access){
			.cold = true, .worker = true, .bytes = PAGES * PAGE, .each_bytes = 65536 });

	check(&access);
}

Test(read, sendfile_counts_as_reading)
{
	struct vmadj_access access =
		do_with_file(PAGES, (struct vmadj_access){ .how = VMADJ_ACCESS_SENDFILE,
							   .cold = true,
							   .times = 2,
							   .bytes = PAGES * PAGE,
							   .each_bytes = 65536 });

	check(&access);
}

Test(read, splice_counts_as_reading)
{
	struct vmadj_access access =
		do_with_file(PAGES, (struct vmadj_access){ .how = VMADJ_ACCESS_SPLICE,
							   .cold = true,
							   .times = 2,
							   .bytes = PAGES * PAGE,
							   .each_bytes = 65536 });

	check(&access);
}

/* Kernels without the event (before 6.12) tell nothing of mapped files. */
static void need_faults(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	bool told = !libbpf_get_error(kernel) && vmadj_probe_tracepoint(kernel, "mm_filemap_fault");

	btf__free(kernel);
	if (!told)
		cr_skip_test("this kernel does not tell of faults on mapped files");
}

/* A fault may map pages around the one that is wanted: faults are counted, not pages. */
Test(read, a_cold_mapping_counts_its_faults_and_misses)
{
	struct vmadj_access access;

	need_faults();
	access = do_with_file(PAGES, (struct vmadj_access){ .how = VMADJ_ACCESS_MMAP,
							    .cold = true,
							    .bytes = PAGES * PAGE,
							    .each_bytes = PAGE });

	cr_expect(vmadj_access_agrees("accessed", access.accessed_pages, access.faults));
	cr_expect(vmadj_access_agrees("missed", access.missed_pages, access.storage_pages));
}

/* A fault that maps a huge folio whole fires no event that could be counted. */
Test(read, a_warm_mapping_counts_no_more_than_its_faults_and_no_misses)
{
	struct vmadj_access access;

	need_faults();
	access = do_with_file(PAGES, (struct vmadj_access){ .how = VMADJ_ACCESS_MMAP,
							    .warm = true,
							    .bytes = PAGES * PAGE,
							    .each_bytes = PAGE });

	cr_expect(gt(u64, access.accessed_pages, 0));
	cr_expect(le(u64, access.accessed_pages, access.faults));
	cr_expect(eq(u64, access.missed_pages, 0));
}

Test(read, randomly_touched_pages_of_a_mapping_count_their_faults)
{
	struct vmadj_access access;

	need_faults();
	access = do_with_file(PAGES * 4, (struct vmadj_access){ .how = VMADJ_ACCESS_MMAP,
								.cold = true,
								.random = true,
								.bytes = PAGES * PAGE * 4,
								.each_bytes = PAGE });

	cr_expect(vmadj_access_agrees("accessed", access.accessed_pages, access.faults));
	cr_expect(vmadj_access_agrees("missed", access.missed_pages, access.storage_pages));
}

/* Read three times in order, hardly a page is still there when it is wanted again. */
Test(read, a_file_larger_than_memory_misses_again_and_again)
{
	const unsigned long pages = 64 * MIB / PAGE;
	struct vmadj_vmm_options options = { .cgroup = vmadj_cgroup_with_memory(16 * MIB) };
	_cleanup_lab_file_ char *path = NULL;
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_access access = {
		.cold = true, .times = 3, .bytes = pages * PAGE, .each_bytes = 65536
	};

	vmm = vmadj_vmm_start(&options);
	vmadj_lab_require(vmadj_lab_file_new(pages, &path));
	(void)snprintf(access.path, sizeof(access.path), "%s", path);
	(void)vmadj_world_sample(world, 0.2);
	vmadj_access_do(world, vmm, &access);
	cr_expect(eq(u64, access.asked_pages, 3 * pages));
	cr_expect(gt(u64, access.storage_pages, 2 * pages), "memory was short");
	cr_expect(vmadj_access_agrees("accessed", access.accessed_pages, access.asked_pages));
	cr_expect(vmadj_access_agrees("missed", access.missed_pages, access.storage_pages));
}
