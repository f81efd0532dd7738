/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pins.h - the maps under the BPF file system, for `bpftool map dump pinned`
 *
 * Maps are pinned in DIR/PID-STARTTIME/ while the process lives. Links are never
 * pinned, so that nothing stays attached when it is killed; folders of
 * processes that are gone are removed by the next start.
 *
 * Ownership: vmadj_pins_close() takes NULL and removes what was pinned.
 */
#pragma once

struct bpf_object;
struct vmadj_pins;

/**
 * vmadj_pins_open() - clear away what dead processes left, and make our own folder
 *
 * Return: 0; -ENOENT, -ENOTSUP: @dir's file system is not BPF's; -EACCES, ...: mkdir().
 */
int vmadj_pins_open(const char *dir, struct vmadj_pins **ret_pins);
void vmadj_pins_close(struct vmadj_pins *pins);

/** vmadj_pins_add() - pin all maps of @object but its globals; Return: 0; the errno of the kernel.
 */
int vmadj_pins_add(struct vmadj_pins *pins, const struct bpf_object *object);

const char *vmadj_pins_path(const struct vmadj_pins *pins);

/** vmadj_pins_others() - process id of another live observer; 0: none. */
int vmadj_pins_others(const struct vmadj_pins *pins);
