// SPDX-License-Identifier: GPL-2.0-only
/* probe.c - what this kernel lets us attach to */
#include "user/util/probe.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

bool vmadj_probe_tracepoint(const struct btf *vmlinux, const char *name)
{
	char type[128];

	(void)snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(vmlinux, type, BTF_KIND_TYPEDEF) > 0;
}

int vmadj_probe_fexit(const struct btf *vmlinux, const char *function)
{
	const struct bpf_insn return_0[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FEXIT);
	int fd, link, id = btf__find_by_name_kind(vmlinux, function, BTF_KIND_FUNC);

	if (id < 0)
		return -ENOENT;
	opts.attach_btf_id = (__u32)id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "probe", "GPL", return_0, 2, &opts);
	if (fd < 0)
		return fd;
	/* Some kernels load such a program and refuse it only here. */
	link = bpf_raw_tracepoint_open(NULL, fd);
	(void)close(fd);
	if (link < 0)
		return link;
	(void)close(link);
	return 0;
}
