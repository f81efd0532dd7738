// SPDX-License-Identifier: GPL-2.0-only
/* talk.c - sockets of a QEMU: its monitor, a port of its guest */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/bench/memory/side.h"
#include "user/util/cleanup.h"

#define TIMEOUT_S 30

int vmadj_exp_connect(const char *path)
{
	const struct timeval limit = { .tv_sec = TIMEOUT_S };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	err = -errno;
	(void)close(fd);
	return err;
}

/* The greeting and events come between; an answer has a "return". */
static int execute(FILE *qmp, const char *command)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (fprintf(qmp, "%s\n", command) < 0 || fflush(qmp))
		return -EPIPE;
	while (getline(&line, &size, qmp) > 0) {
		if (!strncmp(line, "{\"return\"", 9))
			return 0;
		if (!strncmp(line, "{\"error\"", 8))
			return -EPROTO;
	}
	return -EPIPE;
}

int vmadj_exp_balloon(const char *socket_path, unsigned int mib)
{
	_cleanup_fclose_ FILE *qmp = NULL;
	char command[128];
	int fd = vmadj_exp_connect(socket_path), err;

	if (fd < 0)
		return fd;
	qmp = fdopen(fd, "r+");
	if (!qmp) {
		(void)close(fd);
		return -ENOMEM;
	}
	(void)snprintf(command, sizeof(command),
		       "{\"execute\":\"balloon\",\"arguments\":{\"value\":%llu}}",
		       (unsigned long long)mib << 20);
	err = execute(qmp, "{\"execute\":\"qmp_capabilities\"}");
	return err ? err : execute(qmp, command);
}
