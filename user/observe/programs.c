// SPDX-License-Identifier: GPL-2.0-only
/* programs.c - how long our BPF programs have run */
#include "user/observe/programs.h"

#include <stdio.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "user/observe/life.h"
#include "user/observe/pagecache.h"
#include "user/observe/parts.h"
#include "user/observe/sched.h"

static size_t read_object(const struct bpf_object *object, struct vmadj_program_time *times,
			  size_t n, size_t max)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, object) {
		struct bpf_prog_info info = { 0 };
		__u32 size = sizeof(info);

		if (n == max || bpf_program__fd(program) < 0 ||
		    bpf_program__expected_attach_type(program) == BPF_TRACE_ITER ||
		    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
			continue;
		times[n] = (struct vmadj_program_time){
			.id = info.id,
			.run_ns = info.run_time_ns,
			.calls = info.run_cnt,
		};
		(void)snprintf(times[n].name, sizeof(times[n].name), "%s",
			       bpf_program__name(program));
		n++;
	}
	return n;
}

size_t vmadj_programs_read(const struct vmadj_observer *observer, struct vmadj_program_time *times,
			   size_t max)
{
	struct vmadj_pagecache_view *cache = vmadj_observer_pagecache(observer);
	size_t n = 0;

	n = read_object(vmadj_life_object(vmadj_observer_life(observer)), times, n, max);
	n = read_object(vmadj_sched_object(vmadj_observer_sched(observer)), times, n, max);
	return cache ? read_object(vmadj_pagecache_object(cache), times, n, max) : n;
}
