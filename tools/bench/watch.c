// SPDX-License-Identifier: GPL-2.0-only
/* watch.c - an observer in this process, as dump runs it, and what it says of a VM */
#include "tools/bench/watch.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>

#include "tools/bench/bench.h"
#include "user/observe/observer.h"
#include "user/vm/inventory.h"

#define FDS_MAX	 8
#define TICK_NS	 1000000000ULL
#define NS_IN_MS 1000000ULL
#define POLL_MS	 100 /* how late a signal may be noticed */

int vmadj_bench_watch_open_mode(enum vmadj_mode mode, struct vmadj_bench_watch *ret_watch)
{
	const struct vmadj_observer_options options = { .mode = mode, .self_test = true };
	struct vmadj_bench_watch watch = { 0 };
	int err = vmadj_observer_open(&options, &watch.observer);

	if (!err && !vmadj_observer_running(watch.observer))
		err = -ENOTSUP;
	if (!err)
		err = vmadj_inventory_new(watch.observer, &watch.inventory);
	if (!err)
		err = vmadj_snapshot_builder_new(watch.inventory, &watch.builder);
	watch.tick_ns = vmadj_bench_now_ns() + TICK_NS;
	if (err) {
		vmadj_bench_watch_close(&watch);
	} else {
		*ret_watch = watch;
	}
	return err;
}

int vmadj_bench_watch_open(struct vmadj_bench_watch *ret_watch)
{
	return vmadj_bench_watch_open_mode(VMADJ_MODE_TRACE, ret_watch);
}

void vmadj_bench_watch_close(struct vmadj_bench_watch *watch)
{
	vmadj_snapshot_builder_free(watch->builder);
	vmadj_inventory_free(watch->inventory);
	vmadj_observer_close(watch->observer);
	*watch = (struct vmadj_bench_watch){ 0 };
}

/* The next thing that comes within @ms. */
static int serve_next(struct vmadj_bench_watch *watch, unsigned int ms)
{
	struct pollfd pollfds[FDS_MAX];
	int fds[FDS_MAX], n = vmadj_inventory_fds(watch->inventory, fds, FDS_MAX);

	for (int i = 0; i < n; i++)
		pollfds[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	if (poll(pollfds, (nfds_t)n, (int)ms) > 0)
		return vmadj_inventory_dispatch(watch->inventory);
	return 0;
}

int vmadj_bench_watch_serve(struct vmadj_bench_watch *watch, unsigned int ms)
{
	uint64_t now = vmadj_bench_now_ns(), end = now + ms * NS_IN_MS;
	int err = 0;

	for (; now < end && !err; now = vmadj_bench_now_ns()) {
		uint64_t left = (end - now) / NS_IN_MS + 1;

		err = vmadj_bench_sleep_ms(0);
		if (!err)
			err = serve_next(watch, left < POLL_MS ? (unsigned int)left : POLL_MS);
		if (err || vmadj_bench_now_ns() < watch->tick_ns)
			continue;
		watch->tick_ns += TICK_NS;
		err = vmadj_inventory_tick(watch->inventory);
	}
	return err;
}

int vmadj_bench_watch_sample(struct vmadj_bench_watch *watch, unsigned int ms)
{
	int err = vmadj_bench_watch_serve(watch, ms);

	return err ? err : vmadj_snapshot_build(watch->builder, &watch->snapshot);
}

const struct vmadj_snap_vm *vmadj_bench_watch_vm(const struct vmadj_bench_watch *watch, pid_t pid)
{
	for (size_t i = 0; watch->snapshot && i < watch->snapshot->n_vms; i++) {
		if (watch->snapshot->vms[i].pid == pid && !watch->snapshot->vms[i].ended)
			return &watch->snapshot->vms[i];
	}
	return NULL;
}
