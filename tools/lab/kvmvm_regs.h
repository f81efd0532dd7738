/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvmvm_regs.h - the state in which a vCPU begins
 *
 * Real mode at LAB_CODE, with what kvmvm_guest.h promises its programs.
 */
#ifndef VMADJ_LAB_KVMVM_REGS_H
#define VMADJ_LAB_KVMVM_REGS_H

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "kvmvm_guest.h"
#include "kvmvm_util.h"

static inline void vcpu_set_registers(int fd)
{
	struct kvm_regs regs = { .rip = LAB_CODE, .rsp = LAB_MEM_BYTES, .rflags = 2 };
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };
	int tsc_khz = ioctl(fd, KVM_GET_TSC_KHZ, 0);
	struct kvm_sregs sregs;

	if (ioctl(fd, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	sregs.ds.base = LAB_APIC_BASE;
	regs.rdi = (uint64_t)(tsc_khz > 0 ? tsc_khz : 1000000) * LAB_BURST_MS;
	if (ioctl(fd, KVM_SET_SREGS, &sregs) || ioctl(fd, KVM_SET_REGS, &regs))
		die("KVM_SET_REGS");
	/* all but the first would wait for another vCPU to start them */
	if (ioctl(fd, KVM_SET_MP_STATE, &mp))
		die("KVM_SET_MP_STATE");
}

/* KVM takes timer modes from what CPUID says, and without one knows one-shot only */
static inline void vcpu_set_cpuid(int fd)
{
	const struct kvm_cpuid_entry2 leaf[] = {
		{ .function = 0, .eax = 1 },
		{ .function = 1, .edx = 1u << 4 | 1u << 9 }, /* TSC, APIC */
	};
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + sizeof(leaf));

	if (!cpuid)
		die("CPUID");
	cpuid->nent = 2;
	memcpy(cpuid->entries, leaf, sizeof(leaf));
	if (ioctl(fd, KVM_SET_CPUID2, cpuid))
		die("KVM_SET_CPUID2");
	free(cpuid);
}

/* A periodic timer, as if the guest had programmed it: real-mode code cannot reach all of it. */
static inline void vcpu_set_timer(int fd, unsigned int period_ms)
{
	struct kvm_lapic_state lapic;
	const struct {
		unsigned int reg;
		uint32_t value;
	} writes[] = {
		{ 0xf0, 0x1ff },			/* spurious vector; APIC on */
		{ 0x320, LAB_TIMER_VECTOR | 1u << 17 }, /* periodic */
		{ 0x3e0, 0xb },				/* divide by 1: KVM's bus ticks in ns */
		{ 0x380, period_ms * (uint32_t)NSEC_MSEC },
	};

	if (ioctl(fd, KVM_GET_LAPIC, &lapic))
		die("KVM_GET_LAPIC");
	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		memcpy(lapic.regs + writes[i].reg, &writes[i].value, sizeof(writes[i].value));
	if (ioctl(fd, KVM_SET_LAPIC, &lapic))
		die("KVM_SET_LAPIC");
}

#endif
