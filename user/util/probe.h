/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe.h - what this kernel lets us attach to
 *
 * Asked by looking the event up in the kernel's types and, for functions, by loading a program
 * of two instructions; never by comparing versions.
 */
#pragma once

#include <stdbool.h>

struct btf;

bool vmadj_probe_tracepoint(const struct btf *vmlinux, const char *name);

/** vmadj_probe_fexit() - Return: 0; -ENOENT: no such function; -EPERM, ...: the kernel refuses. */
int vmadj_probe_fexit(const struct btf *vmlinux, const char *function);
