/* SPDX-License-Identifier: GPL-2.0-only */
/* exitcode.h - what the exit status of vmadjust-bpf means (--help prints it from optable.c) */
#pragma once

enum vmadj_exit {
	VMADJ_EXIT_DONE = 0,
	VMADJ_EXIT_FAILED = 1,
	VMADJ_EXIT_USAGE = 2,
	VMADJ_EXIT_CANNOT_OBSERVE = 3,
	VMADJ_EXIT_OUTPUT = 4,
};
