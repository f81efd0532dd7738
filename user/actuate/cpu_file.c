// SPDX-License-Identifier: GPL-2.0-only
/* cpu_file.c - small files of the kernel by a made-up path; and why something failed */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "user/actuate/cpu_private.h"
#include "user/util/cleanup.h"
#include "user/util/file.h"
#include "user/util/scan.h"

static __attribute__((format(printf, 2, 0))) int make_path(char path[PATH_MAX], const char *format,
							   va_list args)
{
	int len = vsnprintf(path, PATH_MAX, format, args);

	return len < 0 || len >= PATH_MAX ? -ENAMETOOLONG : 0;
}

ssize_t vmadj_cpu_file(char *buf, size_t size, const char *path, ...)
{
	char full[PATH_MAX];
	va_list args;
	int err;

	va_start(args, path);
	err = make_path(full, path, args);
	va_end(args);
	return err ? err : vmadj_file_read(AT_FDCWD, full, buf, size);
}

int vmadj_cpu_file_u64(uint64_t *ret_value, const char *path, ...)
{
	char full[PATH_MAX], text[32];
	const char *at = text;
	va_list args;
	ssize_t len;
	int err;

	va_start(args, path);
	err = make_path(full, path, args);
	va_end(args);
	if (err)
		return err;
	len = vmadj_file_read(AT_FDCWD, full, text, sizeof(text));
	if (len < 0)
		return (int)len;
	return vmadj_scan_u64(&at, ret_value) ? 0 : -EIO;
}

static int write_errno(void)
{
	switch (errno) {
	case ENOENT:
	case ENODEV:
		return -ESRCH;
	case EPERM:
	case EROFS:
		return -EACCES;
	default:
		return -errno;
	}
}

int vmadj_cpu_file_write(long long value, const char *path, ...)
{
	_cleanup_close_ int fd = -1;
	char full[PATH_MAX], text[32];
	va_list args;
	int len, err;

	va_start(args, path);
	err = make_path(full, path, args);
	va_end(args);
	if (err)
		return err;
	len = snprintf(text, sizeof(text), "%lld", value);
	fd = open(full, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)len) < 0)
		return write_errno();
	return 0;
}

int vmadj_cpu_fail(struct vmadj_cpu *cpu, int err, const char *why, ...)
{
	va_list args;

	va_start(args, why);
	(void)vsnprintf(cpu->why, sizeof(cpu->why), why, args);
	va_end(args);
	return err;
}
