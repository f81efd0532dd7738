/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpu_turn.h - one change of a VM's share that is under way, and who is asked to make it
 *
 * Ownership: the knob's list has all turns; whoever ends one frees it.
 */
#pragma once

#include "user/actuate/cpu_private.h"

struct vmadj_cpu_turn {
	struct vmadj_cpu_turn *next;
	struct vmadj_cpu *cpu;
	pid_t pid;
	uint64_t start_ticks;
	int pidfd;
	char uuid[64];
	struct vmadj_cpu_place place;
	struct vmadj_cpu_want want;
	vmadj_cpu_done done;
	void *userdata;
	sd_bus_slot *slot;
	sd_event_source *timer;
	unsigned int tries;
	bool unasked; /* libvirt is busy with another question about this VM */
};

/* Takes @turn over. Return: as vmadj_cpu_set(). */
int vmadj_cpu_turn(struct vmadj_cpu_turn *turn);
void vmadj_cpu_turn_free(struct vmadj_cpu_turn *turn);

/* The owner answered: @err and why. */
void vmadj_cpu_turn_answered(struct vmadj_cpu_turn *turn, int err, const char *why);

/* cpu_systemd.c, cpu_libvirt.c; Return: 0: vmadj_cpu_turn_answered() will be called; else not. */
int vmadj_cpu_systemd_ask(struct vmadj_cpu_turn *turn);
void vmadj_cpu_libvirt_init(struct vmadj_cpu *cpu);
int vmadj_cpu_libvirt_ask(struct vmadj_cpu_turn *turn);
