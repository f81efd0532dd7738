// SPDX-License-Identifier: GPL-2.0-only
/* others.c - who else is attached to context switches */
#include "user/bench/others.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "user/util/cleanup.h"

#define EVENT "sched_switch"

/* Programs of the types raw_tp and tp_btf have a link of the same type. */
static bool is_on_event(int link, __u32 *ret_prog)
{
	char event[64] = "";
	struct bpf_link_info info = {
		.raw_tracepoint.tp_name = (uintptr_t)event,
		.raw_tracepoint.tp_name_len = sizeof(event),
	};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(link, &info, &size))
		return false;
	*ret_prog = info.prog_id;
	return info.type == BPF_LINK_TYPE_RAW_TRACEPOINT && !strcmp(event, EVENT);
}

static void read_name(__u32 prog, char *ret_name, size_t size)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(prog);
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
		(void)snprintf(ret_name, size, "%s", info.name);
}

int vmadj_bench_others(char *ret_name, size_t size)
{
	__u32 id = 0, prog = 0;
	int n = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		/* One that has gone meanwhile is none. */
		_cleanup_close_ int link = bpf_link_get_fd_by_id(id);

		if (link < 0 || !is_on_event(link, &prog))
			continue;
		n++;
		read_name(prog, ret_name, size);
	}
	return errno == ENOENT ? n : -errno;
}
