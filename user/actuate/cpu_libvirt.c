// SPDX-License-Identifier: GPL-2.0-only
/* cpu_libvirt.c - a domain's weight, set by libvirt */
#include <errno.h>

#include "user/actuate/cpu_turn.h"

void vmadj_cpu_libvirt_init(struct vmadj_cpu *cpu)
{
	cpu->ask = vmadj_libvirt_ask;
	cpu->forget = vmadj_libvirt_forget;
}

static void answered(void *userdata, int err, const struct vmadj_libvirt_answer *answer)
{
	const char *said = answer && answer->error ? answer->error : "";

	vmadj_cpu_turn_answered(userdata, err, said);
}

int vmadj_cpu_libvirt_ask(struct vmadj_cpu_turn *turn)
{
	struct vmadj_cpu *cpu = turn->cpu;
	int err = cpu->ask(cpu->libvirt, turn->uuid, VMADJ_LIBVIRT_SET_SHARES,
			   vmadj_cpu_group_weight(&turn->place, &turn->want), answered, turn);

	if (err)
		return vmadj_cpu_fail(cpu, err, "libvirt cannot be asked now");
	return 0;
}
