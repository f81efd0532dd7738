// SPDX-License-Identifier: GPL-2.0-only
/* poll.c - mode=poll: P1's way, the task_structs are read once an interval */
#include "kmod.h"

void vmadj_poll(struct vmadj_vm *vm)
{
	struct vmadj_thread *thread;

	list_for_each_entry (thread, &vm->threads, node)
		vmadj_count(&thread->sched, thread->task);
}
