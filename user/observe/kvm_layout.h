/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvm_layout.h - where this kernel's KVM keeps what life.bpf.c reads
 *
 * KVM is often a module with types of its own. libbpf would look them up too, but
 * asks for CAP_SYS_ADMIN to do so; the type files under /sys/kernel/btf are
 * readable for everybody.
 */
#pragma once

#include <linux/types.h>

#include "bpf/life.h"

struct btf;

/**
 * vmadj_kvm_layout_find() - look up the offsets; those not known are -1
 *
 * Return: 0; -ENOENT when neither the kernel nor the module tells (KVM is not loaded).
 */
int vmadj_kvm_layout_find(struct btf *vmlinux, struct vmadj_kvm_layout *ret_layout);
