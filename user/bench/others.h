/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * others.h - who else is attached to context switches: it would be in both halves of a pair
 */
#pragma once

#include <stddef.h>

/**
 * vmadj_bench_others() - BPF programs on the event sched_switch, and the name of one of them
 *
 * Return: how many; -EPERM: no right to ask (CAP_SYS_ADMIN); -errno of bpf().
 */
int vmadj_bench_others(char *ret_name, size_t size);
