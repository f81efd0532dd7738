// SPDX-License-Identifier: GPL-2.0-only
/*
 * file.c - files for page-cache tests, in and out of the page cache
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "tests/lab/private.h"

#define FILE_PAGE 4096
#define FILES_MAX 16

/* a test that fails or crashes removes nothing: its file has a guard */
static struct guarded {
	const char *path; /* NULL: not in use */
	struct vmadj_lab_guard guard;
} guarded[FILES_MAX];

static struct guarded *guarded_find(const char *path)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		if (guarded[i].path == path)
			return &guarded[i];
	}
	return NULL;
}

static int guarded_add(const char *path)
{
	const struct vmadj_lab_job job = { .remove_file = path };
	struct guarded *slot = guarded_find(NULL);
	int err;

	if (!slot)
		return vmadj_lab_fail(-EMFILE, "more than %d files", FILES_MAX);
	err = vmadj_lab_guard_start(&job, &slot->guard);
	if (!err)
		slot->path = path;
	return err;
}

/* on tmpfs the page cache is the file: nothing there is ever read in */
static int file_check_fs(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return vmadj_lab_fail(-errno, "statfs");
	if (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
		return vmadj_lab_fail(-ENODEV, "/var/tmp has no disk behind it");
	return 0;
}

static int file_fill(int fd, unsigned long pages)
{
	unsigned char page[FILE_PAGE];

	for (unsigned long i = 0; i < pages; i++) {
		memset(page, (int)(i & 0xff), sizeof(page));
		if (write(fd, page, sizeof(page)) != sizeof(page))
			return vmadj_lab_fail(-EIO, "/var/tmp: %s", strerror(errno));
	}
	if (fdatasync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		return vmadj_lab_fail(-EIO, "/var/tmp: %s", strerror(errno));
	return 0;
}

/**
 * vmadj_lab_file_new - a file of so many pages, none of them in the page cache
 *
 * Return: 0; -ENODEV: /var/tmp is not on a disk; -EIO: it cannot be written; -EMFILE:
 * the test has too many; -ENOMEM; or what fork() gave.
 */
int vmadj_lab_file_new(unsigned long pages, char **ret_path)
{
	char *path = strdup("/var/tmp/vmadj-lab-XXXXXX");
	int fd, err;

	if (!path)
		return vmadj_lab_fail(-ENOMEM, "no memory");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0) {
		err = vmadj_lab_fail(-EIO, "/var/tmp: %s", strerror(errno));
		free(path);
		return err;
	}
	err = guarded_add(path);
	if (!err)
		err = file_check_fs(fd);
	if (!err)
		err = file_fill(fd, pages);
	close(fd);
	if (err) {
		vmadj_lab_file_free(path);
	} else {
		*ret_path = path;
	}
	return err;
}

/**
 * vmadj_lab_file_warm - read all of a file into the page cache, in the caller's name
 *
 * Return: 0; -EIO: it cannot be read.
 */
int vmadj_lab_file_warm(const char *path)
{
	char buf[FILE_PAGE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;

	if (fd < 0)
		return vmadj_lab_fail(-EIO, "%s: %s", path, strerror(errno));
	do {
		got = read(fd, buf, sizeof(buf));
	} while (got > 0);
	close(fd);
	return got < 0 ? vmadj_lab_fail(-EIO, "%s: not to be read", path) : 0;
}

/* Removes the file too; takes NULL. */
void vmadj_lab_file_free(char *path)
{
	struct guarded *slot = path ? guarded_find(path) : NULL;

	if (slot) {
		vmadj_lab_guard_stop(&slot->guard);
		slot->path = NULL;
	}
	if (path)
		(void)unlink(path);
	free(path);
}
