/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ksm.h - a kernel thread that is busy on a given CPU: "ksmd", which merges equal pages
 *
 * Its settings come back when the test ends, however it does.
 */
#pragma once

#include <sys/types.h>

/* Makes ksmd burn on CPU @cpu; skips the test where there is none. Return: its process id. */
pid_t vmadj_ksm_burn(unsigned int cpu);
void vmadj_ksm_stop(void);
