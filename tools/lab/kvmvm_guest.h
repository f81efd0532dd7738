/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvmvm_guest.h - the real-mode programs that kvmvm's guests run
 *
 * Each is written by hand, since an assembler for 30 bytes would be one more
 * thing to install. They keep all state in registers, so vCPUs share one copy.
 *
 * Layout:  guest physical 0: interrupt table; LAB_CODE: the program;
 *          LAB_HANDLER: the timer handler. Two pages in all.
 * Entry:   %edi = LAB_BURST_MS in TSC cycles; %ds starts at the local APIC, so
 *          that real-mode code reaches its end-of-interrupt register.
 */
#ifndef VMADJ_LAB_KVMVM_GUEST_H
#define VMADJ_LAB_KVMVM_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LAB_MEM_BYTES	 0x2000
#define LAB_CODE	 0x1000
#define LAB_HANDLER	 0x1100
#define LAB_APIC_BASE	 0xfee00000
#define LAB_TIMER_VECTOR 0x20
#define LAB_PORT_MIX	 0x10 /* the VMM sleeps or burns a little, in turn */
#define LAB_PORT_SPIN	 0x11 /* the VMM burns */
#define LAB_PORT_PASS	 0x12 /* the VMM passes a ball on */
#define LAB_BURST_MS	 1

#define LAB_CODE_MAX 24

struct lab_load {
	const char *name;
	bool timed; /* "name:MS": wants the APIC timer every MS milliseconds */
	const char *help;
	uint8_t code[LAB_CODE_MAX];
};

static const struct lab_load lab_loads[] = {
	{ "busy",
	  false,
	  "counts for ever, never leaves the guest",
	  { 0x40,	    /* 1: inc %ax */
	    0xeb, 0xfd } }, /*    jmp 1b */
	{ "idle",
	  false,
	  "halts for ever: blocked inside KVM_RUN",
	  { 0xfa,	    /*    cli */
	    0xf4,	    /* 1: hlt */
	    0xeb, 0xfd } }, /*    jmp 1b */
	{ "tick",
	  true,
	  "halts, woken every MS ms, as an idle operating system is",
	  { 0xfb,	    /*    sti */
	    0xf4,	    /* 1: hlt */
	    0xeb, 0xfd } }, /*    jmp 1b */
	{ "short",
	  true,
	  "MS ms busy, MS ms halted, in turn",
	  { 0xfb,	    /*    sti */
	    0x84, 0xdb,	    /* 1: test %bl,%bl (the handler flips it) */
	    0x75, 0x03,	    /*    jnz 2f */
	    0x40,	    /*    inc %ax */
	    0xeb, 0xf9,	    /*    jmp 1b */
	    0xf4,	    /* 2: hlt */
	    0xeb, 0xf6 } }, /*    jmp 1b */
	{ "mix",
	  false,
	  "1 ms busy, then an exit: the VMM burns 0.3 ms or sleeps 1 ms, in turn",
	  { 0x0f, 0x31,		/* 1: rdtsc */
	    0x66, 0x89, 0xc6,	/*    mov %eax,%esi */
	    0x0f, 0x31,		/* 2: rdtsc */
	    0x66, 0x29, 0xf0,	/*    sub %esi,%eax */
	    0x66, 0x39, 0xf8,	/*    cmp %edi,%eax */
	    0x72, 0xf6,		/*    jb 2b */
	    0xe6, LAB_PORT_MIX, /*   out %al,$LAB_PORT_MIX */
	    0xeb, 0xed } },	/*    jmp 1b */
	{ "spin-user",
	  false,
	  "exits at once, always: the vCPU thread burns outside KVM_RUN",
	  { 0xe6, LAB_PORT_SPIN, /* 1: out %al,$LAB_PORT_SPIN */
	    0xeb, 0xfc } },	 /*    jmp 1b */
	{ "pass",
	  false,
	  "exits at once, always: the vCPU thread answers a byte on descriptor 3 by one on 4",
	  { 0xe6, LAB_PORT_PASS, /* 1: out %al,$LAB_PORT_PASS */
	    0xeb, 0xfc } },	 /*    jmp 1b */
};

#define LAB_LOADS (sizeof(lab_loads) / sizeof(lab_loads[0]))

static const uint8_t lab_handler[] = {
	0x80, 0xf3, 0x01,	/* xor $1,%bl */
	0x66, 0xa3, 0xb0, 0x00, /* mov %eax,%ds:0xb0: end of interrupt */
	0xcf,			/* iret */
};

static inline void lab_guest_write(uint8_t *mem, const struct lab_load *load)
{
	const uint16_t vector[2] = { LAB_HANDLER, 0 };

	memcpy(mem + LAB_TIMER_VECTOR * sizeof(vector), vector, sizeof(vector));
	memcpy(mem + LAB_HANDLER, lab_handler, sizeof(lab_handler));
	memcpy(mem + LAB_CODE, load->code, sizeof(load->code));
}

#endif
