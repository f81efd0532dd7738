/* SPDX-License-Identifier: GPL-2.0-only */
/* shared.c - memory that the daemon shares with a policy's process */
#include "user/policy/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/util/cleanup.h"

int vmadj_shared_open(size_t size, bool ours, struct vmadj_shared *ret_shared)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	_cleanup_close_ int fd = memfd_create("vmadjust-policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *map;

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		return -errno;
	/* Before the seal: it leaves the mappings that are there. */
	map = mmap(NULL, size, ours ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	if (fcntl(fd, F_ADD_SEALS, ours ? seals | F_SEAL_FUTURE_WRITE : seals) < 0) {
		int err = -errno;

		(void)munmap(map, size);
		return err;
	}
	*ret_shared = (struct vmadj_shared){ .map = map, .size = size, .fd = vmadj_steal_fd(&fd) };
	return 0;
}

void vmadj_shared_close(struct vmadj_shared *shared)
{
	if (!shared->map)
		return;
	(void)munmap(shared->map, shared->size);
	(void)close(shared->fd);
	shared->map = NULL;
}
