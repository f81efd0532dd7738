// SPDX-License-Identifier: GPL-2.0-only
/* pagecache.c - host page-cache use of each slot */
#include "user/observe/pagecache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "pagecache.skel.h"
#include "user/observe/life.h"
#include "user/util/probe.h"
#include "user/observe/window.h"

struct vmadj_pagecache_view {
	struct pagecache_bpf *skel;
	struct vmadj_window use;
};

/* Reads are counted at one place, the first that this kernel has; faults where it tells. */
static int choose(struct vmadj_pagecache_view *view, const struct btf *vmlinux,
		  const char **ret_via)
{
	bool get = vmadj_probe_tracepoint(vmlinux, "mm_filemap_get_pages");
	bool fexit = !get && !vmadj_probe_fexit(vmlinux, "filemap_read");

	if (!vmadj_probe_tracepoint(vmlinux, "mm_filemap_add_to_page_cache") || (!get && !fexit))
		return -EOPNOTSUPP;
	bpf_program__set_autoload(view->skel->progs.pagecache_get, get);
	bpf_program__set_autoload(view->skel->progs.pagecache_read_fexit, fexit);
	bpf_program__set_autoload(view->skel->progs.pagecache_fault,
				  vmadj_probe_tracepoint(vmlinux, "mm_filemap_fault"));
	bpf_program__set_autoload(view->skel->progs.pagecache_map,
				  vmadj_probe_tracepoint(vmlinux, "mm_filemap_map_pages"));
	*ret_via = get ? "tp_btf/mm_filemap_get_pages" : "fexit/filemap_read";
	return 0;
}

static int pagecache_load(struct vmadj_pagecache_view *view, const struct btf *vmlinux,
			  const struct vmadj_life *life, const char **ret_via)
{
	int err;

	view->skel = pagecache_bpf__open();
	if (!view->skel)
		return -errno;
	view->skel->rodata->pagecache_shift = (__u32)ffsl(sysconf(_SC_PAGESIZE)) - 1;
	err = choose(view, vmlinux, ret_via);
	if (!err)
		err = vmadj_life_share(life, view->skel->obj);
	if (!err)
		err = pagecache_bpf__load(view->skel);
	if (!err)
		err = pagecache_bpf__attach(view->skel);
	if (!err)
		vmadj_window_init(&view->use, view->skel->maps.pagecache_use);
	return err;
}

int vmadj_pagecache_open(const struct btf *vmlinux, const struct vmadj_life *life,
			 struct vmadj_pagecache_view **ret_view, const char **ret_via)
{
	struct vmadj_pagecache_view *view = calloc(1, sizeof(*view));
	int err;

	if (!view)
		return -ENOMEM;
	err = pagecache_load(view, vmlinux, life, ret_via);
	if (err) {
		vmadj_pagecache_close(view);
		return err;
	}
	*ret_view = view;
	return 0;
}

void vmadj_pagecache_close(struct vmadj_pagecache_view *view)
{
	if (!view)
		return;
	vmadj_window_close(&view->use);
	pagecache_bpf__destroy(view->skel);
	free(view);
}

struct bpf_object *vmadj_pagecache_object(struct vmadj_pagecache_view *view)
{
	return view->skel->obj;
}

void vmadj_pagecache_set_past(struct vmadj_pagecache_view *view, uint64_t pages)
{
	view->skel->bss->pagecache_past = pages;
}

int vmadj_pagecache_refresh(struct vmadj_pagecache_view *view, uint32_t slots)
{
	return vmadj_window_reach(&view->use, slots);
}

const struct vmadj_pagecache *vmadj_pagecache_at(const struct vmadj_pagecache_view *view,
						 uint32_t slot)
{
	return vmadj_window_at(&view->use, slot);
}

void vmadj_pagecache_clear(struct vmadj_pagecache_view *view, uint32_t slot)
{
	struct vmadj_pagecache *use = vmadj_window_at(&view->use, slot);

	if (use)
		memset(use, 0, sizeof(*use));
}
