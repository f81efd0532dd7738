/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * file.h - small files, read whole
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/**
 * vmadj_file_read() - read a small file, of /proc for instance, into @buf
 *
 * @dirfd is as for openat(2). What does not fit into @size - 1 bytes is left
 * unread; a NUL follows what was read. On failure @buf is the empty string.
 *
 * Return: the length; -EINVAL when @size is 0; what openat(2) and read(2) give
 * (-ENOENT, -EACCES, -ESRCH when the process is gone, ...).
 */
ssize_t vmadj_file_read(int dirfd, const char *path, char *buf, size_t size);
