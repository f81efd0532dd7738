// SPDX-License-Identifier: GPL-2.0-only
/* sched.c - run time and waiting of each slot */
#include "user/observe/sched.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "sched.skel.h"
#include "user/observe/life.h"
#include "user/observe/window.h"
#include "user/util/cleanup.h"

struct vmadj_sched_view {
	struct sched_bpf *skel;
	enum vmadj_mode mode;
	int cpus;
	struct vmadj_window threads;
};

/* Of the others nothing is loaded, so nothing can be attached. */
static int choose_programs(const struct sched_bpf *skel, bool poll)
{
	int err = bpf_program__set_autoload(skel->progs.sched_switch, !poll);

	if (!err)
		err = bpf_program__set_autoload(skel->progs.sched_poll, poll);
	return err ? err : bpf_program__set_autoload(skel->progs.sched_freed, poll);
}

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
		err = choose_programs(view->skel, view->mode == VMADJ_MODE_POLL);
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

int vmadj_sched_open(const struct vmadj_life *life, enum vmadj_mode mode,
		     struct vmadj_sched_view **ret_view)
{
	struct vmadj_sched_view *view = calloc(1, sizeof(*view));
	int err;

	if (!view)
		return -ENOMEM;
	view->mode = mode;
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

enum vmadj_mode vmadj_sched_mode(const struct vmadj_sched_view *view)
{
	return view->mode;
}

/* The program writes nothing: it is read to its end, which is when it has met all tasks. */
static int run_iterator(const struct bpf_link *link)
{
	_cleanup_close_ int fd = bpf_iter_create(bpf_link__fd(link));
	ssize_t got;
	char none;

	if (fd < 0)
		return fd;
	do {
		got = read(fd, &none, sizeof(none));
	} while (got < 0 && (errno == EAGAIN || errno == EINTR));
	return got < 0 ? -errno : 0;
}

int vmadj_sched_poll(const struct vmadj_sched_view *view)
{
	return view->mode == VMADJ_MODE_POLL ? run_iterator(view->skel->links.sched_poll) : 0;
}

/* Counts into the slots of @view. */
static int load_beside(const struct vmadj_sched_view *view, const struct vmadj_life *life,
		       struct sched_bpf *skel)
{
	int err = bpf_map__reuse_fd(skel->maps.sched_thread,
				    bpf_map__fd(view->skel->maps.sched_thread));

	if (!err)
		err = choose_programs(skel, true);
	if (!err)
		err = vmadj_life_share(life, skel->obj);
	return err ? err : sched_bpf__load(skel);
}

/* Dead tasks lose their tags, which tracing left to them, before their being freed counts. */
static int attach_beside(struct sched_bpf *skel)
{
	int err;

	skel->links.sched_poll = bpf_program__attach(skel->progs.sched_poll);
	if (!skel->links.sched_poll)
		return -errno;
	err = run_iterator(skel->links.sched_poll);
	if (err)
		return err;
	skel->links.sched_freed = bpf_program__attach(skel->progs.sched_freed);
	return skel->links.sched_freed ? 0 : -errno;
}

int vmadj_sched_fall_back(struct vmadj_sched_view *view, const struct vmadj_life *life)
{
	size_t slots = view->threads.n;
	struct sched_bpf *skel;
	int err;

	if (view->mode == VMADJ_MODE_POLL)
		return 0;
	skel = sched_bpf__open();
	if (!skel)
		return -errno;
	err = load_beside(view, life, skel);
	if (!err)
		err = attach_beside(skel);
	if (err) {
		sched_bpf__destroy(skel);
		return err;
	}
	vmadj_window_close(&view->threads);
	sched_bpf__destroy(view->skel);
	view->skel = skel;
	view->mode = VMADJ_MODE_POLL;
	vmadj_window_init(&view->threads, skel->maps.sched_thread);
	/* Those that ended before nobody traced them any more. */
	err = vmadj_sched_poll(view);
	return err ? err : vmadj_window_reach(&view->threads, slots);
}

int vmadj_sched_refresh(struct vmadj_sched_view *view, uint32_t slots)
{
	/* Who was registered while it ran was not seen to come. */
	for (int i = 0; i < view->cpus; i++) {
		__atomic_store_n(&view->skel->bss->sched_cpu[i].slot, VMADJ_SLOT_ASK,
				 __ATOMIC_RELAXED);
	}
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

	if (!sched)
		return;
	/* Taken out while it waited, it was not seen to come back. */
	if (sched->waits_on && sched->waits_on <= VMADJ_CPUS) {
		__atomic_sub_fetch(&view->skel->bss->sched_cpu[sched->waits_on - 1].waiting, 1,
				   __ATOMIC_RELAXED);
	}
	memset(sched, 0, sizeof(*sched));
}

uint32_t vmadj_sched_waiting(const struct vmadj_sched_view *view)
{
	uint32_t waiting = 0;

	for (int i = 0; i < view->cpus; i++) {
		waiting +=
			__atomic_load_n(&view->skel->bss->sched_cpu[i].waiting, __ATOMIC_RELAXED);
	}
	return waiting;
}

uint64_t vmadj_sched_run_ns(const struct vmadj_sched *sched, uint64_t now_ns)
{
	uint64_t clock = __atomic_load_n(&sched->run_clock, __ATOMIC_RELAXED);
	uint64_t run_ns = (uint64_t)((int64_t)clock >> 1);

	return clock & 1 ? run_ns + now_ns : run_ns;
}
