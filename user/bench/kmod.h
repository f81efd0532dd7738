/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmod.h - the kernel module that the observer is measured against (tools/kmod)
 *
 * Errors:    0 or a negative errno; vmadj_bench_kmod.why then says what, why and what to do.
 * Ownership: vmadj_bench_kmod_close() takes one that was not opened, with fd -1. Who has loaded
 *            the module unloads it; nothing else does when the process is killed.
 */
#pragma once

struct vmadj_bench_kmod {
	int fd;
	char why[320];
};

/**
 * vmadj_bench_kmod_open() - the file, and is it that module?
 *
 * @kmod is filled in also on failure. Return: 0; -ENOEXEC: it is something else; the errno of
 * open().
 */
int vmadj_bench_kmod_open(const char *path, struct vmadj_bench_kmod *kmod);
void vmadj_bench_kmod_close(struct vmadj_bench_kmod *kmod);

/**
 * vmadj_bench_kmod_load() - insmod, with @params ("mode=poll")
 *
 * Return: 0; -EINTR, without a reason; -errno of the kernel.
 */
int vmadj_bench_kmod_load(struct vmadj_bench_kmod *kmod, const char *params);

/** vmadj_bench_kmod_unload() - rmmod, within seconds; Return: 0; -errno of the kernel. */
int vmadj_bench_kmod_unload(struct vmadj_bench_kmod *kmod);
