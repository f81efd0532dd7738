// SPDX-License-Identifier: GPL-2.0-only
/* qmp.c - what a QEMU says of itself, over its QMP socket */
#include "tests/lib/qmp.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_S 20

struct vmadj_monitor {
	FILE *file;
};

/*
 * The answer to @request, which is JSON: greeting and events come in between. It is written past
 * the stream, which cannot turn from reading to writing while an event is in its buffer.
 */
static json_t *ask_with(struct vmadj_monitor *qmp, const char *request)
{
	json_t *answer = NULL;
	size_t size = 0;
	char *line = NULL;

	if (dprintf(fileno(qmp->file), "%s\n", request) < 0)
		cr_fatal("QMP: %s: %m", request);
	while (!answer && getline(&line, &size, qmp->file) > 0) {
		json_t *document = json_loads(line, 0, NULL);

		if (json_object_get(document, "error"))
			cr_fatal("QMP: %s: %s", request, line);
		answer = json_incref(json_object_get(document, "return"));
		json_decref(document);
	}
	free(line);
	if (!answer)
		cr_fatal("QMP: no answer to %s", request);
	return answer;
}

static json_t *ask(struct vmadj_monitor *qmp, const char *command)
{
	char request[64];

	(void)snprintf(request, sizeof(request), "{\"execute\":\"%s\"}", command);
	return ask_with(qmp, request);
}

struct vmadj_monitor *vmadj_monitor_open(const char *path)
{
	const struct timeval limit = { .tv_sec = ANSWER_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct vmadj_monitor *qmp = calloc(1, sizeof(*qmp));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!qmp || fd < 0 || strlen(path) >= sizeof(address.sun_path))
		cr_fatal("QMP: %m");
	memcpy(address.sun_path, path, strlen(path));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		cr_fatal("%s: %m", path);
	qmp->file = fdopen(fd, "r");
	if (!qmp->file)
		cr_fatal("QMP: %m");
	json_decref(ask(qmp, "qmp_capabilities"));
	return qmp;
}

void vmadj_monitor_close(struct vmadj_monitor *qmp)
{
	if (!qmp)
		return;
	(void)fclose(qmp->file);
	free(qmp);
}

void vmadj_monitor_stop(struct vmadj_monitor *qmp)
{
	json_decref(ask(qmp, "stop"));
}

void vmadj_monitor_continue(struct vmadj_monitor *qmp)
{
	json_decref(ask(qmp, "cont"));
}

uint64_t vmadj_monitor_read_bytes(struct vmadj_monitor *qmp)
{
	json_t *disks = ask(qmp, "query-blockstats");
	uint64_t sum = 0;

	for (size_t i = 0; i < json_array_size(disks); i++) {
		json_int_t bytes = 0;

		if (!json_unpack(json_array_get(disks, i), "{s:{s:I}}", "stats", "rd_bytes",
				 &bytes))
			sum += (uint64_t)bytes;
	}
	json_decref(disks);
	return sum;
}

void vmadj_monitor_balloon_set(struct vmadj_monitor *qmp, uint64_t bytes)
{
	char request[128];

	(void)snprintf(request, sizeof(request),
		       "{\"execute\":\"balloon\",\"arguments\":{\"value\":%llu}}",
		       (unsigned long long)bytes);
	json_decref(ask_with(qmp, request));
}

uint64_t vmadj_monitor_balloon_bytes(struct vmadj_monitor *qmp)
{
	json_t *balloon = ask(qmp, "query-balloon");
	uint64_t bytes = (uint64_t)json_integer_value(json_object_get(balloon, "actual"));

	json_decref(balloon);
	return bytes;
}

uint64_t vmadj_monitor_balloon_available(struct vmadj_monitor *qmp, uint64_t *ret_bytes)
{
	json_t *told = ask_with(qmp, "{\"execute\":\"qom-get\",\"arguments\":{\"path\":"
				     "\"/machine/peripheral/balloon0\",\"property\":"
				     "\"guest-stats\"}}");
	const json_t *available =
		json_object_get(json_object_get(told, "stats"), "stat-available-memory");
	uint64_t when = (uint64_t)json_integer_value(json_object_get(told, "last-update"));

	*ret_bytes = (uint64_t)json_number_value(available);
	json_decref(told);
	return when;
}
