// SPDX-License-Identifier: GPL-2.0-only
/*
 * qmp.c - ask a QEMU which thread is which vCPU
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lab/private.h"

#define QMP_TIMEOUT_S 10

static int qmp_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval limit = { .tv_sec = QMP_TIMEOUT_S };
	int fd, err;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/**
 * vmadj_lab_qmp_parse_vcpus - take the answer to query-cpus-fast
 *
 * Return: 0; -EBADMSG: it is none.
 */
int vmadj_lab_qmp_parse_vcpus(struct vmadj_lab_vm *vm, const char *reply)
{
	json_t *root = json_loads(reply, 0, NULL);
	json_t *list = json_object_get(root, "return");
	size_t nr = json_array_size(list);

	for (size_t i = 0; i < nr; i++) {
		json_int_t index = -1, tid = 0;

		(void)json_unpack(json_array_get(list, i), "{s:I, s:I}", "cpu-index", &index,
				  "thread-id", &tid);
		if (index < 0 || index >= VMADJ_LAB_VCPUS_MAX || tid <= 0)
			continue;
		vm->vcpu_tid[index] = (pid_t)tid;
		if (vm->nr_vcpus <= index)
			vm->nr_vcpus = (unsigned int)index + 1;
	}
	json_decref(root);
	return nr ? 0 : -EBADMSG;
}

/* The greeting and events come between; an answer is what has a "return". */
static int qmp_ask(FILE *f, const char *command, char **ret_reply)
{
	char *line = NULL;
	size_t size = 0;

	if (fprintf(f, "{\"execute\":\"%s\"}\n", command) < 0 || fflush(f))
		return -EPIPE;
	while (getline(&line, &size, f) > 0) {
		if (strncmp(line, "{\"return\"", 9) != 0)
			continue;
		*ret_reply = line;
		return 0;
	}
	free(line);
	return -EIO;
}

static int qmp_learn(struct vmadj_lab_vm *vm, FILE *f)
{
	char *reply = NULL;
	int err = qmp_ask(f, "qmp_capabilities", &reply);

	if (err)
		return err;
	free(reply);
	err = qmp_ask(f, "query-cpus-fast", &reply);
	if (err)
		return err;
	err = vmadj_lab_qmp_parse_vcpus(vm, reply);
	free(reply);
	return err;
}

/**
 * vmadj_lab_qmp_learn - learn a VM's vCPU threads from its QMP socket
 *
 * Return: 0; -EBADMSG, -EPIPE, -EIO: not the answer of a QEMU; or what connect() gave.
 */
int vmadj_lab_qmp_learn(struct vmadj_lab_vm *vm, const char *socket_path)
{
	int fd = qmp_connect(socket_path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r+");
	int err;

	if (!f)
		return vmadj_lab_fail(fd < 0 ? fd : -ENOMEM, "%s: cannot connect", socket_path);
	err = qmp_learn(vm, f);
	(void)fclose(f);
	return err ? vmadj_lab_fail(err, "%s: no list of vCPUs", socket_path) : 0;
}
