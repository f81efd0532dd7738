// SPDX-License-Identifier: GPL-2.0-only
/* observer.c - open, test and close the BPF side */
#include "user/observe/observer.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "user/observe/checks.h"
#include "user/observe/host_checks.h"
#include "user/observe/life.h"
#include "user/observe/mode.h"
#include "user/observe/pagecache.h"
#include "user/observe/parts.h"
#include "user/observe/pins.h"
#include "user/observe/sched.h"
#include "user/observe/selftest.h"
#include "user/util/log.h"

#define POLL_EVENTS "iter/task, tp_btf/sched_process_free"

struct vmadj_observer {
	struct vmadj_checks checks;
	struct btf *vmlinux; /* while it opens */
	struct vmadj_life *life;
	struct vmadj_sched_view *sched;
	struct vmadj_pagecache_view *pagecache;
	struct vmadj_pins *pins;
	bool running;
};

/* libbpf's messages matter to whoever asked for details; what follows from them is a check. */
__attribute__((format(printf, 2, 0))) static int on_libbpf(enum libbpf_print_level level,
							   const char *fmt, va_list args)
{
	if (level != LIBBPF_DEBUG)
		vmadj_logv(LOG_DEBUG, fmt, args);
	return 0;
}

static int open_btf(struct vmadj_observer *observer)
{
	static const struct vmadj_lack lack = {
		"kernel",
		"types (BTF)",
		VMADJ_CHECK_FATAL,
		"programs cannot be fitted to this kernel, so nothing is observed",
		"run a kernel built with CONFIG_DEBUG_INFO_BTF=y, as all of Debian 12, Ubuntu 24.04 and Fedora are",
	};
	int err;

	observer->vmlinux = btf__load_vmlinux_btf();
	err = (int)libbpf_get_error(observer->vmlinux);
	if (err) {
		observer->vmlinux = NULL;
		vmadj_checks_lack(&observer->checks, &lack, "not readable: %s", strerror(-err));
		return err;
	}
	vmadj_checks_ok(&observer->checks, "kernel", "types (BTF)", "/sys/kernel/btf/vmlinux");
	return 0;
}

static int open_life(struct vmadj_observer *observer)
{
	static const struct vmadj_lack lack = {
		"events",
		"thread births",
		VMADJ_CHECK_FATAL,
		"the threads of a VM cannot be followed, so nothing is observed",
		"see the rights above; `vmadjust-bpf -v doctor` shows what the kernel said",
	};
	int err = vmadj_life_open(observer->vmlinux, &observer->life);

	if (err) {
		vmadj_checks_lack(&observer->checks, &lack, "refused: %s", strerror(-err));
		return err;
	}
	vmadj_checks_ok(&observer->checks, "events", "thread births",
			"tp_btf/task_newtask, tp_btf/sched_process_exec, iterators");
	return 0;
}

static int open_sched(struct vmadj_observer *observer, enum vmadj_mode mode)
{
	static const struct vmadj_lack lack = {
		"events",
		"context switches",
		VMADJ_CHECK_FATAL,
		"run time and waiting are not known, so nothing is observed",
		"see the rights above; `vmadjust-bpf -v doctor` shows what the kernel said",
	};
	int err = vmadj_sched_open(observer->life, mode, &observer->sched);

	if (err) {
		vmadj_checks_lack(&observer->checks, &lack, "refused: %s", strerror(-err));
		return err;
	}
	vmadj_checks_ok(&observer->checks, "events", "context switches", "%s",
			mode == VMADJ_MODE_POLL ? "polled: " POLL_EVENTS : "tp_btf/sched_switch");
	return 0;
}

/* Would it work, if it were asked for? With a test of its own, whose lines nobody needs. */
static void try_poll(struct vmadj_observer *observer)
{
	static const struct vmadj_lack lack = {
		"events",
		"polling",
		VMADJ_CHECK_MISSING,
		"--mode poll does not work here; --mode trace does",
		"`vmadjust-bpf -v doctor` shows what the kernel said",
	};
	struct vmadj_sched_view *sched = NULL;
	struct vmadj_checks checks = { 0 };
	int err = vmadj_sched_open(observer->life, VMADJ_MODE_POLL, &sched);

	if (!err)
		err = vmadj_selftest_sched(observer->life, sched, &checks);
	if (err) {
		vmadj_checks_lack(&observer->checks, &lack, "%s",
				  checks.n ? checks.check[0].found : strerror(-err));
	} else {
		vmadj_checks_ok(&observer->checks, "events", "polling", POLL_EVENTS);
	}
	vmadj_checks_clear(&checks);
	vmadj_sched_close(sched);
}

static void open_pagecache(struct vmadj_observer *observer)
{
	static const struct vmadj_lack lack = {
		"events",
		"host page cache",
		VMADJ_CHECK_MISSING,
		"host_cache is not known for any VM",
		"run a kernel with the event mm_filemap_get_pages (6.12 and later), or one that allows fexit programs",
	};
	const char *via;
	int err =
		vmadj_pagecache_open(observer->vmlinux, observer->life, &observer->pagecache, &via);

	if (err) {
		vmadj_checks_lack(&observer->checks, &lack, "refused: %s", strerror(-err));
	} else {
		vmadj_checks_ok(&observer->checks, "events", "host page cache",
				"%s, tp_btf/mm_filemap_add_to_page_cache", via);
	}
}

static void open_pins(struct vmadj_observer *observer, const char *dir)
{
	static const struct vmadj_lack lack = {
		"kernel",
		"pinned maps",
		VMADJ_CHECK_MISSING,
		"`bpftool map dump pinned` cannot show the counters; `vmadjust-bpf dump` can",
		"mount the BPF file system (mount -t bpf bpf /sys/fs/bpf), or name a writable folder on one with --pin-dir",
	};
	int err = vmadj_pins_open(dir, &observer->pins);

	if (!err)
		err = vmadj_pins_add(observer->pins, vmadj_life_object(observer->life));
	if (!err)
		err = vmadj_pins_add(observer->pins, vmadj_sched_object(observer->sched));
	if (!err && observer->pagecache)
		err = vmadj_pins_add(observer->pins, vmadj_pagecache_object(observer->pagecache));
	if (err) {
		vmadj_checks_lack(&observer->checks, &lack, "none under %s: %s", dir,
				  err == -ENOTSUP ? "the BPF file system is not mounted there"
						  : strerror(-err));
		return;
	}
	vmadj_checks_ok(&observer->checks, "events", "pinned maps", "%s",
			vmadj_pins_path(observer->pins));
	if (vmadj_pins_others(observer->pins)) {
		log_notice(
			"another observer is running, process %d; both work, each costs its own share",
			vmadj_pins_others(observer->pins));
	}
}

static int test_all(struct vmadj_observer *observer)
{
	int err = vmadj_selftest_sched(observer->life, observer->sched, &observer->checks);

	if (err || !observer->pagecache)
		return err;
	if (vmadj_selftest_pagecache(observer->life, observer->pagecache, &observer->checks)) {
		vmadj_pagecache_close(observer->pagecache);
		observer->pagecache = NULL;
	}
	return 0;
}

static void open_all(struct vmadj_observer *observer, const struct vmadj_observer_options *options)
{
	bool allowed = vmadj_host_check_rights(&observer->checks);
	enum vmadj_mode mode = options->mode;

	vmadj_host_check_kernel(&observer->checks);
	if (open_btf(observer) || !allowed)
		return;
	if (mode == VMADJ_MODE_AUTO)
		mode = vmadj_mode_auto();
	if (open_life(observer) || open_sched(observer, mode))
		return;
	if (options->try_poll && mode != VMADJ_MODE_POLL)
		try_poll(observer);
	open_pagecache(observer);
	open_pins(observer, options->pin_dir ? options->pin_dir : VMADJ_PIN_DIR);
	if (options->self_test && test_all(observer))
		return;
	vmadj_host_check_vms(&observer->checks, vmadj_life_vcpus_known(observer->life));
	vmadj_host_check_host(&observer->checks);
	observer->running = true;
}

int vmadj_observer_open(const struct vmadj_observer_options *options,
			struct vmadj_observer **ret_observer)
{
	struct vmadj_observer *observer = calloc(1, sizeof(*observer));

	if (!observer)
		return -ENOMEM;
	libbpf_set_print(on_libbpf);
	open_all(observer, options);
	btf__free(observer->vmlinux);
	observer->vmlinux = NULL;
	/* What the loader took in many small pieces, malloc() keeps unless it is asked. */
	(void)malloc_trim(0);
	*ret_observer = observer;
	return 0;
}

void vmadj_observer_close(struct vmadj_observer *observer)
{
	if (!observer)
		return;
	vmadj_pins_close(observer->pins);
	vmadj_pagecache_close(observer->pagecache);
	vmadj_sched_close(observer->sched);
	vmadj_life_close(observer->life);
	vmadj_checks_clear(&observer->checks);
	free(observer);
}

bool vmadj_observer_running(const struct vmadj_observer *observer)
{
	return observer->running;
}

enum vmadj_mode vmadj_observer_mode(const struct vmadj_observer *observer)
{
	return vmadj_sched_mode(observer->sched);
}

int vmadj_observer_fall_back(struct vmadj_observer *observer)
{
	return vmadj_sched_fall_back(observer->sched, observer->life);
}

const struct vmadj_checks *vmadj_observer_checks(const struct vmadj_observer *observer)
{
	return &observer->checks;
}

struct vmadj_life *vmadj_observer_life(const struct vmadj_observer *observer)
{
	return observer->life;
}

struct vmadj_sched_view *vmadj_observer_sched(const struct vmadj_observer *observer)
{
	return observer->sched;
}

struct vmadj_pagecache_view *vmadj_observer_pagecache(const struct vmadj_observer *observer)
{
	return observer->pagecache;
}

int vmadj_observer_poll(struct vmadj_observer *observer)
{
	return vmadj_sched_poll(observer->sched);
}

int vmadj_observer_refresh(struct vmadj_observer *observer)
{
	uint32_t slots = vmadj_life_slots(observer->life);
	int err = vmadj_life_refresh(observer->life);

	if (!err)
		err = vmadj_sched_refresh(observer->sched, slots);
	if (!err && observer->pagecache)
		err = vmadj_pagecache_refresh(observer->pagecache, slots);
	return err;
}
