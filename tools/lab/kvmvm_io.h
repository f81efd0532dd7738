/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvmvm_io.h - file access in known patterns, with the truth about each
 *
 * A page-cache observer is held against what happened here. The truth comes
 * from mincore(), not from the pattern: read-ahead brings in pages that nobody
 * asked for, and how many differs from kernel to kernel.
 *
 * Units:  pages are 4096 bytes, whatever folio holds them.
 * Errors: 0, or a negative errno.
 */
#ifndef VMADJ_LAB_KVMVM_IO_H
#define VMADJ_LAB_KVMVM_IO_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvmvm_pattern.h"

static inline int io_access(struct io_job *job, unsigned long first, unsigned long n)
{
	size_t size = n * IO_PAGE;
	off_t at = (off_t)(first * IO_PAGE);
	ssize_t got;

	for (unsigned long i = first; i < first + n; i++) {
		job->truth.absent += !job->before[i];
		job->before[i] |= IO_SEEN;
	}
	job->truth.accessed += n;
	if (job->how == IO_MMAP) {
		*(volatile uint8_t *)job->buf = job->map[at];
		return 0;
	}
	if (job->how == IO_WRITE)
		got = pwrite(job->fd, job->buf, size, at);
	else
		got = pread(job->fd, job->buf, size, at);
	if (got < 0)
		return -errno;
	return (size_t)got == size ? 0 : -EIO;
}

static inline int io_measure(struct io_job *job)
{
	unsigned long step = job->how == IO_BIG ? IO_CHUNK_PAGES : 1;
	uint8_t *after = job->before + job->pages;
	unsigned int seed = 1;

	if (mincore(job->map, job->pages * IO_PAGE, job->before))
		return -errno;
	for (unsigned long i = 0; i < job->pages; i += step) {
		unsigned long n = job->pages - i < step ? job->pages - i : step;
		unsigned long at = job->how == IO_RANDOM ? rand_r(&seed) % job->pages : i;
		int err = io_access(job, at, n);

		if (err)
			return err;
	}
	if (mincore(job->map, job->pages * IO_PAGE, after))
		return -errno;
	for (unsigned long i = 0; i < job->pages; i++)
		job->truth.added += (after[i] & IO_CACHED) && !(job->before[i] & IO_CACHED);
	return 0;
}

static inline int io_prepare(struct io_job *job)
{
	size_t size = job->pages * IO_PAGE;
	struct stat st;

	if (fstat(job->fd, &st))
		return -errno;
	if (!job->pages || job->pages > IO_PAGES_MAX || (size_t)st.st_size < size)
		return -ERANGE;
	if (job->drop && (fdatasync(job->fd) || posix_fadvise(job->fd, 0, 0, POSIX_FADV_DONTNEED)))
		return -EIO;
	job->before = malloc(2 * job->pages);
	if (!job->before || posix_memalign((void **)&job->buf, IO_PAGE, IO_CHUNK_PAGES * IO_PAGE))
		return -ENOMEM;
	memset(job->buf, 'w', IO_CHUNK_PAGES * IO_PAGE);
	job->map = mmap(NULL, size, PROT_READ, MAP_SHARED, job->fd, 0);
	return job->map == MAP_FAILED ? -errno : 0;
}

/* Return: 0; -EINVAL no such pattern; -ERANGE the file has fewer pages; or what a call gave. */
static inline int io_run(const char *name, const char *path, unsigned long pages,
			 struct io_truth *ret_truth)
{
	struct io_job job = { .pages = pages, .map = MAP_FAILED };
	int err = io_set_pattern(&job, name);

	if (err)
		return err;
	/* mmap() wants to read, even of a file that is written */
	job.fd = open(path, job.flags | O_RDWR | O_CLOEXEC);
	if (job.fd < 0)
		return -errno;
	err = io_prepare(&job);
	if (!err)
		err = io_measure(&job);
	if (job.map != MAP_FAILED)
		munmap(job.map, pages * IO_PAGE);
	free(job.buf);
	free(job.before);
	close(job.fd);
	if (!err)
		*ret_truth = job.truth;
	return err;
}

#endif
