// SPDX-License-Identifier: GPL-2.0-only
/* meter.c - what a BPF program costs, beside an empty one on the same event */
#include "user/bench/meter.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define CODE(op, dst, src, offset, value)                                                  \
	{                                                                                  \
		.code = (op), .dst_reg = BPF_REG_##dst, .src_reg = (src), .off = (offset), \
		.imm = (value)                                                             \
	}
#define MOVE(dst, src)	   CODE(BPF_ALU64 | BPF_MOV | BPF_X, dst, BPF_REG_##src, 0, 0)
#define SET(dst, value)	   CODE(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define LOAD(dst, src, at) CODE(BPF_LDX | BPF_DW | BPF_MEM, dst, BPF_REG_##src, at, 0)
#define MAP(dst, kind, fd)                                 \
	CODE(BPF_LD | BPF_DW | BPF_IMM, dst, kind, 0, fd), \
	{                                                  \
		0                                          \
	}
#define SKIP_IF_SET(r, n) CODE(BPF_JMP | BPF_JNE | BPF_K, r, 0, n, 0)
#define SKIP_UNLESS(r, n) CODE(BPF_JMP | BPF_JEQ | BPF_K, r, 0, n, 0)
#define ADD_TO(dst, src)  CODE(BPF_STX | BPF_DW | BPF_ATOMIC, dst, BPF_REG_##src, 0, BPF_ADD)
#define CALL(function)	  CODE(BPF_JMP | BPF_CALL, 0, 0, 0, function)
#define EXIT		  CODE(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int attach(const struct bpf_insn *code, size_t n, struct vmadj_bench_program *program)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP);
	int id = libbpf_find_vmlinux_btf_id("sched_switch", BPF_TRACE_RAW_TP);

	if (id < 0)
		return id;
	opts.attach_btf_id = (__u32)id;
	program->prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "bench", "GPL", code, n, &opts);
	if (program->prog < 0)
		return program->prog;
	program->link = bpf_raw_tracepoint_open(NULL, program->prog);
	return program->link < 0 ? program->link : 0;
}

int vmadj_bench_empty_open(struct vmadj_bench_program *ret_program)
{
	const struct bpf_insn code[] = { SET(0, 0), EXIT };
	struct vmadj_bench_program program = VMADJ_BENCH_NO_PROGRAM;
	int err = attach(code, sizeof(code) / sizeof(code[0]), &program);

	if (err) {
		vmadj_bench_program_close(&program);
	} else {
		*ret_program = program;
	}
	return err;
}

int vmadj_bench_tally_open(int tags, struct vmadj_bench_program *ret_program)
{
	struct vmadj_bench_program program = VMADJ_BENCH_NO_PROGRAM;
	int err;

	program.map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bench", sizeof(uint32_t),
				     sizeof(uint64_t), 1, NULL);
	if (program.map < 0)
		return program.map;
	const struct bpf_insn code[] = {
		MOVE(6, 1),
		LOAD(2, 6, 8), /* prev */
		MAP(1, BPF_PSEUDO_MAP_FD, tags),
		SET(3, 0),
		SET(4, 0),
		CALL(BPF_FUNC_task_storage_get),
		MOVE(7, 0),
		LOAD(2, 6, 16), /* next */
		MAP(1, BPF_PSEUDO_MAP_FD, tags),
		SET(3, 0),
		SET(4, 0),
		CALL(BPF_FUNC_task_storage_get),
		MAP(1, BPF_PSEUDO_MAP_VALUE, program.map),
		SET(2, 1),
		SKIP_IF_SET(7, 1),
		SKIP_UNLESS(0, 1),
		ADD_TO(1, 2),
		SET(0, 0),
		EXIT,
	};

	err = attach(code, sizeof(code) / sizeof(code[0]), &program);
	if (err) {
		vmadj_bench_program_close(&program);
	} else {
		*ret_program = program;
	}
	return err;
}

int vmadj_bench_tally_read(const struct vmadj_bench_program *program, uint64_t *ret_switches)
{
	const uint32_t key = 0;

	return bpf_map_lookup_elem(program->map, &key, ret_switches);
}

void vmadj_bench_program_close(struct vmadj_bench_program *program)
{
	const int fds[] = { program->link, program->prog, program->map };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
	*program = VMADJ_BENCH_NO_PROGRAM;
}

int vmadj_bench_spent(int fd, struct vmadj_bench_spent *ret_spent)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	int err = bpf_obj_get_info_by_fd(fd, &info, &size);

	if (err)
		return err;
	ret_spent->runs = info.run_cnt;
	ret_spent->time_ns = info.run_time_ns;
	return 0;
}
