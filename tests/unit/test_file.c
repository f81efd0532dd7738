/* SPDX-License-Identifier: GPL-2.0-only */
/* test_file.c - small files, read whole */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/util/file.h"

static char dir[] = "/tmp/vmadj-test-file-XXXXXX";
static int dirfd_ = -1;

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	cr_assert(ne(ptr, file, NULL));
	cr_assert(ge(int, fputs(text, file), 0));
	cr_assert(zero(int, fclose(file)));
}

static void set_up(void)
{
	cr_assert(ne(ptr, mkdtemp(dir), NULL));
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY);
	put("text", "hello\n");
	put("empty", "");
}

static void tear_down(void)
{
	(void)unlinkat(dirfd_, "text", 0);
	(void)unlinkat(dirfd_, "empty", 0);
	(void)rmdir(dir);
}

TestSuite(file, .timeout = 10, .init = set_up, .fini = tear_down);

Test(file, is_read_whole_and_terminated)
{
	char buf[64];

	memset(buf, 'x', sizeof(buf));
	cr_assert(eq(long, vmadj_file_read(dirfd_, "text", buf, sizeof(buf)), 6));
	cr_assert(eq(str, buf, "hello\n"));
}

Test(file, an_empty_one_is_the_empty_string)
{
	char buf[8] = "old";

	cr_assert(eq(long, vmadj_file_read(dirfd_, "empty", buf, sizeof(buf)), 0));
	cr_assert(eq(str, buf, ""));
}

Test(file, a_longer_one_is_cut)
{
	char buf[4];

	cr_assert(eq(long, vmadj_file_read(dirfd_, "text", buf, sizeof(buf)), 3));
	cr_assert(eq(str, buf, "hel"));
}

Test(file, one_of_several_pages_is_read_to_its_end)
{
	static char buf[1 << 20];
	ssize_t len = vmadj_file_read(AT_FDCWD, "/proc/self/smaps", buf, sizeof(buf));

	cr_assert(gt(long, len, 4 * 4096), "one read(2) gives a page of it");
	cr_assert(eq(chr, buf[len - 1], '\n'));
}

Test(file, one_that_is_missing_is_named_so)
{
	char buf[8] = "old";

	cr_assert(eq(long, vmadj_file_read(dirfd_, "missing", buf, sizeof(buf)), -ENOENT));
	cr_assert(eq(str, buf, ""));
}

Test(file, a_directory_is_refused)
{
	char buf[8];

	cr_assert(eq(long, vmadj_file_read(dirfd_, ".", buf, sizeof(buf)), -EISDIR));
}

Test(file, no_room_at_all_is_refused)
{
	char buf[1];

	cr_assert(eq(long, vmadj_file_read(dirfd_, "text", buf, 0), -EINVAL));
}
