/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * selftest.h - hold our counts against the kernel's before anybody trusts them
 *
 * Two threads of our own burn 50 ms each on one CPU, and one reads a file that it made. What
 * our programs counted must be what the kernel counted, and what the file's size says.
 *
 * Threads: starts two and joins them. Leaves no file behind.
 */
#pragma once

#include "user/observe/observer.h"

struct vmadj_life;
struct vmadj_sched_view;
struct vmadj_pagecache_view;

/**
 * vmadj_selftest_sched() - run time, waiting, switches and, where it is traced, blame
 *
 * Adds a line to @checks, FATAL if a count is wrong.
 *
 * Return: 0; -EBADMSG: a count is wrong; -EAGAIN, -ENOMEM, ...: it could not be tested.
 */
int vmadj_selftest_sched(struct vmadj_life *life, struct vmadj_sched_view *sched,
			 struct vmadj_checks *checks);

/**
 * vmadj_selftest_pagecache() - cold and warm reads, and writes
 *
 * Finds out how this kernel's events name the last page, and tells @cache.
 *
 * Return: as above; -ENODEV: no folder on a real file system to make the file in.
 */
int vmadj_selftest_pagecache(struct vmadj_life *life, struct vmadj_pagecache_view *cache,
			     struct vmadj_checks *checks);
