/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pagecache.h - host page-cache use of each slot, as bpf/pagecache.bpf.c counts it
 *
 * Units:     pages.
 * Errors:    0 or a negative errno.
 * Ownership: vmadj_pagecache_close() takes NULL.
 */
#pragma once

#include <linux/types.h>
#include <stdint.h>

#include "bpf/pagecache.h"

struct btf;
struct bpf_object;
struct vmadj_life;
struct vmadj_pagecache_view;

/**
 * vmadj_pagecache_open() - load and attach what this kernel has
 *
 * Return: 0 and in @ret_via where reads are counted; -EOPNOTSUPP: nowhere; -ENOMEM;
 * the kernel's errno.
 */
int vmadj_pagecache_open(const struct btf *vmlinux, const struct vmadj_life *life,
			 struct vmadj_pagecache_view **ret_view, const char **ret_via);
void vmadj_pagecache_close(struct vmadj_pagecache_view *view);
struct bpf_object *vmadj_pagecache_object(struct vmadj_pagecache_view *view);

/** vmadj_pagecache_set_past() - 1 where this kernel's events name one page too many. */
void vmadj_pagecache_set_past(struct vmadj_pagecache_view *view, uint64_t pages);

/** vmadj_pagecache_refresh() - map the first @slots slots; Return: 0, -errno. */
int vmadj_pagecache_refresh(struct vmadj_pagecache_view *view, uint32_t slots);
const struct vmadj_pagecache *vmadj_pagecache_at(const struct vmadj_pagecache_view *view,
						 uint32_t slot);
void vmadj_pagecache_clear(struct vmadj_pagecache_view *view, uint32_t slot);
