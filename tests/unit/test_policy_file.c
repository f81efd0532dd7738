/* SPDX-License-Identifier: GPL-2.0-only */
/* test_policy_file.c - which shared objects may be loaded */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/policy/runner.h"

#define STRANGER 65533

static char dir[32], path[64];
static char *why;

static void set_up(void)
{
	(void)strcpy(dir, "/tmp/vmadj-unit.XXXXXX");
	cr_assert(ne(ptr, mkdtemp(dir), NULL));
	(void)snprintf(path, sizeof(path), "%s/policy.so", dir);
	(void)close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	cr_assert(zero(int, chmod(path, 0644)));
}

static void tear_down(void)
{
	(void)unlink(path);
	(void)rmdir(path);
	(void)rmdir(dir);
	free(why);
}

TestSuite(policy_file, .timeout = 10, .init = set_up, .fini = tear_down);

static void assert_refused(const char *name, int err, const char *words)
{
	cr_assert(eq(int, vmadj_policy_file_open(name, &why), err));
	cr_assert(ne(ptr, why, NULL));
	cr_assert(ne(ptr, strstr(why, words), NULL), "%s", why);
}

Test(policy_file, one_that_only_we_can_write_is_opened)
{
	int fd = vmadj_policy_file_open(path, &why);

	cr_assert(ge(int, fd, 0), "%s", why ? why : "");
	cr_assert(eq(int, fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY));
	cr_assert(eq(int, fcntl(fd, F_GETFD), FD_CLOEXEC));
	(void)close(fd);
}

Test(policy_file, one_in_the_present_folder_is_opened)
{
	int fd;

	cr_assert(zero(int, chdir(dir)));
	fd = vmadj_policy_file_open("policy.so", &why);
	cr_assert(ge(int, fd, 0), "%s", why ? why : "");
	(void)close(fd);
}

Test(policy_file, one_that_is_missing_is_refused)
{
	(void)unlink(path);
	assert_refused(path, -ENOENT, "No such file");
}

Test(policy_file, one_in_no_folder_is_refused)
{
	assert_refused("/no-such-folder/policy.so", -ENOENT, "its folder");
}

Test(policy_file, one_that_others_may_write_is_refused)
{
	(void)chmod(path, 0646);
	assert_refused(path, -EPERM, "writable by others");
}

Test(policy_file, one_that_its_group_may_write_is_refused)
{
	(void)chmod(path, 0664);
	assert_refused(path, -EPERM, "writable by others");
}

Test(policy_file, one_in_a_folder_that_others_may_write_is_refused)
{
	(void)chmod(dir, 0777);
	assert_refused(path, -EPERM, "its folder is writable by others");
}

Test(policy_file, one_in_a_sticky_folder_is_opened)
{
	int fd;

	(void)chmod(dir, 01777);
	fd = vmadj_policy_file_open(path, &why);
	cr_assert(ge(int, fd, 0), "%s", why ? why : "");
	(void)close(fd);
}

Test(policy_file, a_link_is_refused)
{
	(void)unlink(path);
	cr_assert(zero(int, symlink("/bin/true", path)));
	assert_refused(path, -ELOOP, "symbolic link");
}

Test(policy_file, a_folder_is_refused)
{
	(void)unlink(path);
	cr_assert(zero(int, mkdir(path, 0755)));
	assert_refused(path, -EINVAL, "no regular file");
}

Test(policy_file, a_pipe_is_refused_without_waiting)
{
	(void)unlink(path);
	cr_assert(zero(int, mkfifo(path, 0644)));
	assert_refused(path, -EINVAL, "no regular file");
}

Test(policy_file, one_of_somebody_else_is_refused)
{
	if (chown(path, STRANGER, STRANGER) < 0)
		cr_skip_test("only root can give a file away");
	assert_refused(path, -EPERM, "it belongs to user 65533");
	(void)chown(path, 0, 0);
	free(why);
	(void)chown(dir, STRANGER, STRANGER);
	assert_refused(path, -EPERM, "its folder belongs to user 65533");
}
