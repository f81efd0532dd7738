// SPDX-License-Identifier: GPL-2.0-only
/* sched.c - run time and waiting of each slot */
#include "user/observe/sched.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "sched.skel.h"
#include "user/observe/life.h"
#include "user/observe/window.h"

struct vmadj_sched_view {
	struct sched_bpf *skel;
	int cpus;
	struct vmadj_window threads;
};

static int sched_load(struct vmadj_sched_view *view, const struct vmadj_life *life)
{
	int err;

	view->skel = sched_bpf__open();
	if (!view->skel)
		return -errno;
	view->cpus = libbpf_num_possible_cpus();
	if (view->cpus < 0)
		return view->cpus;
	if (view->cpus > VMADJ_CPUS)
		return -E2BIG;
	err = bpf_map__set_max_entries(view->skel->maps.sched_past, (__u32)view->cpus);
	if (!err)
		err = vmadj_life_share(life, view->skel->obj);
	if (!err)
		err = sched_bpf__load(view->skel);
	if (!err)
		err = sched_bpf__attach(view->skel);
	if (!err)
		vmadj_window_init(&view->threads, view->skel->maps.sched_thread);
	return err;
}

int vmadj_sched_open(const struct vmadj_life *life, struct vmadj_sched_view **ret_view)
{
	struct vmadj_sched_view *view = calloc(1, sizeof(*view));
	int err;

	if (!view)
		return -ENOMEM;
	err = sched_load(view, life);
	if (err) {
		vmadj_sched_close(view);
		return err;
	}
	*ret_view = view;
	return 0;
}

void vmadj_sched_close(struct vmadj_sched_view *view)
{
	if (!view)
		return;
	vmadj_window_close(&view->threads);
	sched_bpf__destroy(view->skel);
	free(view);
}

struct bpf_object *vmadj_sched_object(struct vmadj_sched_view *view)
{
	return view->skel->obj;
}

int vmadj_sched_refresh(struct vmadj_sched_view *view, uint32_t slots)
{
	return vmadj_window_reach(&view->threads, slots);
}

struct vmadj_sched *vmadj_sched_at(const struct vmadj_sched_view *view, uint32_t slot)
{
	return vmadj_window_at(&view->threads, slot);
}

struct vmadj_blame *vmadj_sched_blame(const struct vmadj_sched_view *view,
				      struct vmadj_sched *sched, unsigned int which)
{
	return &sched->blame[(view->skel->bss->sched_cpu[0].epoch + which) & 1];
}

void vmadj_sched_turn_epoch(struct vmadj_sched_view *view)
{
	for (int i = 0; i < view->cpus; i++)
		__atomic_add_fetch(&view->skel->bss->sched_cpu[i].epoch, 1, __ATOMIC_RELEASE);
}

void vmadj_sched_clear(struct vmadj_sched_view *view, uint32_t slot)
{
	struct vmadj_sched *sched = vmadj_sched_at(view, slot);

	if (sched)
		memset(sched, 0, sizeof(*sched));
}

uint64_t vmadj_sched_run_ns(const struct vmadj_sched *sched, uint64_t now_ns)
{
	uint64_t clock = __atomic_load_n(&sched->run_clock, __ATOMIC_RELAXED);
	uint64_t run_ns = (uint64_t)((int64_t)clock >> 1);

	return clock & 1 ? run_ns + now_ns : run_ns;
}
