/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * messages.h - groups of processes that send each other messages, as hackbench does
 *
 * In each group every sender writes to every receiver, over sockets, on all CPUs. It wanders
 * by some per cent on a quiet host: worth a look, not a verdict.
 */
#pragma once

#include "user/bench/timing.h"

/**
 * vmadj_bench_messages_time() - from the first message to the end of the last process
 *
 * Return: 0; -EIO: a process failed; -ETIMEDOUT; -EINTR; the errno of mmap() or fork(). No process
 * is left in any case.
 */
int vmadj_bench_messages_time(const struct vmadj_bench_cpus *cpus, double *ret_ns);
