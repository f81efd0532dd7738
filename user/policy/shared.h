/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shared.h - memory that the daemon shares with a policy's process
 *
 * Its size is sealed, so that reading it never fails on either side. What the daemon alone writes
 * is sealed against that, too.
 *
 * Ownership: vmadj_shared_close() takes what is zeroed or closed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct vmadj_shared {
	void *map; /* NULL: closed */
	size_t size;
	int fd;
};

/**
 * vmadj_shared_open() - make and map it
 *
 * @ours: we write, the other side reads; else the other way round.
 *
 * Return: 0; -errno of memfd_create(2), mmap(2), fcntl(2).
 */
int vmadj_shared_open(size_t size, bool ours, struct vmadj_shared *ret_shared);
void vmadj_shared_close(struct vmadj_shared *shared);
