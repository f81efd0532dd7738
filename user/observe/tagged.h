/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tagged.h - threads of our own that are counted like a VM's, for the self-test
 *
 * Ownership: vmadj_tagged_stop() joins the threads and takes their tags.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#define VMADJ_TAGGED_MAX 2
#define VMADJ_TAGGED_VM	 0xffffffffU /* the serial that these threads carry */

struct vmadj_life;
struct vmadj_tagged;

/**
 * vmadj_tagged_start() - start @n threads and tag them; each waits for work
 *
 * Return: 0; -ENOMEM, -EAGAIN; -ENOSPC: they got no slot.
 */
int vmadj_tagged_start(struct vmadj_life *life, unsigned int n, struct vmadj_tagged **ret_tagged);
void vmadj_tagged_stop(struct vmadj_tagged *tagged);

pid_t vmadj_tagged_tid(const struct vmadj_tagged *tagged, unsigned int i);
uint32_t vmadj_tagged_slot(const struct vmadj_tagged *tagged, unsigned int i);

/** vmadj_tagged_run() - let all threads run @work at once, and wait until they sleep again. */
void vmadj_tagged_run(struct vmadj_tagged *tagged, void (*work)(void *data), void *data);
