// SPDX-License-Identifier: GPL-2.0-only
/* window.c - a mapped view of the first elements of an array map */
#include "user/observe/window.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#define STEP_ELEMENTS 256 /* a few hundred KiB at most, and few steps to the end of a map */

static size_t window_bytes(const struct vmadj_window *window, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n * window->stride + page - 1) / page * page;
}

void vmadj_window_init(struct vmadj_window *window, const struct bpf_map *map)
{
	*window = (struct vmadj_window){
		.fd = bpf_map__fd(map),
		/* The kernel rounds the elements of an array up to 8 bytes. */
		.stride = ((size_t)bpf_map__value_size(map) + 7) / 8 * 8,
		.max = bpf_map__max_entries(map),
	};
}

void vmadj_window_close(struct vmadj_window *window)
{
	if (window->base)
		(void)munmap(window->base, window_bytes(window, window->n));
	window->base = NULL;
	window->n = 0;
}

int vmadj_window_reach(struct vmadj_window *window, size_t n)
{
	size_t want = (n + STEP_ELEMENTS - 1) / STEP_ELEMENTS * STEP_ELEMENTS;
	void *base;

	if (n <= window->n)
		return 0;
	if (n > window->max)
		return -ERANGE;
	if (want > window->max)
		want = window->max;
	base = mmap(NULL, window_bytes(window, want), PROT_READ | PROT_WRITE, MAP_SHARED,
		    window->fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	vmadj_window_close(window);
	window->base = base;
	window->n = want;
	return 0;
}

void *vmadj_window_at(const struct vmadj_window *window, size_t i)
{
	return i < window->n ? (char *)window->base + i * window->stride : NULL;
}
