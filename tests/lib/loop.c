// SPDX-License-Identifier: GPL-2.0-only
/* loop.c - block devices of the test's own, each backed by a file */
#include "tests/lib/loop.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LOOPS_MAX 4
#define TRIES	  20 /* somebody else may take the free device first */

static int fds[LOOPS_MAX];

/* Takes device @nr; Return: 0, -EBUSY when it is not free any more, ... */
static int take(int nr, int file, int *ret_fd, char *path, size_t size)
{
	struct loop_config config = {
		.fd = (__u32)file,
		.block_size = 512,
		/* The kernel lets go when the last user has. */
		.info = { .lo_flags = LO_FLAGS_AUTOCLEAR },
	};
	int fd, err;

	(void)snprintf(path, size, "/dev/loop%d", nr);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, LOOP_CONFIGURE, &config)) {
		err = -errno;
		(void)close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

const char *vmadj_loop_attach(const char *file)
{
	static char path[32];
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int backing = open(file, O_RDWR | O_CLOEXEC), err = -EBUSY;
	size_t i = 0;

	if (control < 0)
		cr_skip_test("/dev/loop-control: %s", strerror(errno));
	if (backing < 0)
		cr_fatal("%s: %s", file, strerror(errno));
	while (i < LOOPS_MAX && fds[i])
		i++;
	for (int tries = 0; i < LOOPS_MAX && err == -EBUSY && tries < TRIES; tries++)
		err = take(ioctl(control, LOOP_CTL_GET_FREE), backing, &fds[i], path, sizeof(path));
	(void)close(control);
	(void)close(backing);
	if (err)
		cr_skip_test("no loop device: %s", strerror(-err));
	return path;
}

void vmadj_loop_detach_all(void)
{
	for (size_t i = 0; i < LOOPS_MAX; i++) {
		if (!fds[i])
			continue;
		(void)ioctl(fds[i], LOOP_CLR_FD, 0);
		(void)close(fds[i]);
		fds[i] = 0;
	}
}
