/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * process.h - what /proc says of a process, for everybody to read
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * vmadj_process_start() - when it started, in clock ticks since boot
 *
 * With the process id it is unique since boot.
 *
 * Return: 0; -ESRCH: no such process; -EIO: /proc says something else than it should.
 */
int vmadj_process_start(pid_t pid, uint64_t *ret_ticks);

/** vmadj_process_of_thread() - the process of a thread; Return: 0; -ESRCH; -EIO. */
int vmadj_process_of_thread(pid_t tid, pid_t *ret_pid);
