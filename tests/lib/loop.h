/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop.h - block devices of the test's own, each backed by a file
 *
 * A device is detached by vmadj_loop_detach_all(), or by the kernel when this process has
 * died and nobody uses it.
 */
#pragma once

/* Return: the device's path; skips the test where there are none. */
const char *vmadj_loop_attach(const char *file);
void vmadj_loop_detach_all(void);
