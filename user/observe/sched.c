// SPDX-License-Identifier: GPL-2.0-only
/* sched.c - run time and waiting of each slot */
#include "user/observe/sched.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "sched.skel.h"
#include "user/observe/window.h"

struct vmadj_sched_view {
	struct sched_bpf *skel;
	struct vmadj_window threads;
	struct vmadj_window waits;
	struct vmadj_window blames;
};

static int sched_load(struct vmadj_sched_view *view, const struct bpf_map *tags)
{
	int cpus = libbpf_num_possible_cpus(), err;

	view->skel = sched_bpf__open();
	if (!view->skel)
		return -errno;
	if (cpus < 0)
		return cpus;
	err = bpf_map__set_max_entries(view->skel->maps.sched_cpu, (__u32)cpus);
	if (!err)
		err = bpf_map__reuse_fd(view->skel->maps.life_task, bpf_map__fd(tags));
	if (!err)
		err = sched_bpf__load(view->skel);
	if (!err)
		err = sched_bpf__attach(view->skel);
	if (err)
		return err;
	vmadj_window_init(&view->threads, view->skel->maps.sched_thread);
	vmadj_window_init(&view->waits, view->skel->maps.sched_wait);
	vmadj_window_init(&view->blames, view->skel->maps.sched_blame);
	return 0;
}

int vmadj_sched_open(const struct bpf_map *tags, struct vmadj_sched_view **ret_view)
{
	struct vmadj_sched_view *view = calloc(1, sizeof(*view));
	int err;

	if (!view)
		return -ENOMEM;
	err = sched_load(view, tags);
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
	vmadj_window_close(&view->waits);
	vmadj_window_close(&view->blames);
	sched_bpf__destroy(view->skel);
	free(view);
}

struct bpf_object *vmadj_sched_object(struct vmadj_sched_view *view)
{
	return view->skel->obj;
}

int vmadj_sched_refresh(struct vmadj_sched_view *view, uint32_t slots)
{
	int err = vmadj_window_reach(&view->threads, slots);

	if (!err)
		err = vmadj_window_reach(&view->waits, slots);
	if (!err)
		err = vmadj_window_reach(&view->blames, slots);
	return err;
}

const struct vmadj_sched *vmadj_sched_at(const struct vmadj_sched_view *view, uint32_t slot)
{
	return vmadj_window_at(&view->threads, slot);
}

const struct vmadj_wait_hist *vmadj_sched_hist_at(const struct vmadj_sched_view *view,
						  uint32_t slot)
{
	return vmadj_window_at(&view->waits, slot);
}

struct vmadj_blame *vmadj_sched_blame_at(const struct vmadj_sched_view *view, uint32_t slot,
					 unsigned int which)
{
	struct vmadj_blames *blames = vmadj_window_at(&view->blames, slot);

	return blames ? &blames->half[(view->skel->bss->sched_epoch + which) & 1] : NULL;
}

void vmadj_sched_turn_epoch(struct vmadj_sched_view *view)
{
	__atomic_add_fetch(&view->skel->bss->sched_epoch, 1, __ATOMIC_RELEASE);
}

void vmadj_sched_clear(struct vmadj_sched_view *view, uint32_t slot)
{
	struct vmadj_sched *sched = vmadj_window_at(&view->threads, slot);
	struct vmadj_wait_hist *hist = vmadj_window_at(&view->waits, slot);
	struct vmadj_blames *blame = vmadj_window_at(&view->blames, slot);

	if (!sched || !hist || !blame)
		return;
	memset(sched, 0, sizeof(*sched));
	memset(hist, 0, sizeof(*hist));
	memset(blame, 0, sizeof(*blame));
}

uint64_t vmadj_sched_run_ns(const struct vmadj_sched *sched, uint64_t now_ns)
{
	uint64_t clock = __atomic_load_n(&sched->run_clock, __ATOMIC_RELAXED);
	uint64_t run_ns = (uint64_t)((int64_t)clock >> 1);

	return clock & 1 ? run_ns + now_ns : run_ns;
}
