// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpu_systemd.c - a unit's weight, set by systemd
 *
 * "runtime": the setting is gone with the next boot, as ours are. A unit without a weight of its
 * own has the default, and the property says "not set"; so the default is put back as that.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/actuate/cpu_turn.h"

#define TIMEOUT_US	(10 * 1000000ULL)
#define NOT_SET		UINT64_MAX
#define DEFAULT_WEIGHT	100
#define DEFAULT_SHARES	1024
#define UNIT_IS_UNKNOWN "org.freedesktop.systemd1.NoSuchUnit"

bool vmadj_cpu_systemd_runs(const struct vmadj_cpu *cpu)
{
	char path[VMADJ_CPU_ROOT_MAX + 32];

	(void)snprintf(path, sizeof(path), "%s/systemd/system", cpu->run);
	return !access(path, F_OK);
}

static int connect_bus(struct vmadj_cpu *cpu)
{
	int err;

	if (cpu->bus && sd_bus_is_open(cpu->bus) > 0)
		return 0;
	cpu->bus = sd_bus_close_unref(cpu->bus);
	err = sd_bus_open_system(&cpu->bus);
	if (err >= 0)
		err = sd_bus_attach_event(cpu->bus, cpu->event, SD_EVENT_PRIORITY_NORMAL);
	if (err >= 0)
		return 0;
	cpu->bus = sd_bus_unref(cpu->bus);
	return vmadj_cpu_fail(cpu, -ENOTCONN, "systemd cannot be asked: no system bus (%s)",
			      strerror(-err));
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	struct vmadj_cpu_turn *turn = userdata;
	int err = 0;

	(void)ret_error;
	if (error) {
		err = -sd_bus_message_get_errno(reply);
		if (sd_bus_error_has_name(error, UNIT_IS_UNKNOWN)) {
			err = -ESRCH;
		} else if (err != -EACCES && err != -ETIMEDOUT) {
			err = -EIO;
		}
	}
	vmadj_cpu_turn_answered(turn, err, error ? error->message : NULL);
	return 0;
}

int vmadj_cpu_systemd_ask(struct vmadj_cpu_turn *turn)
{
	bool version1 = turn->place.kind == VMADJ_CPU_CGROUP1;
	uint64_t weight = vmadj_cpu_group_weight(&turn->place, &turn->want);
	sd_bus_message *call = NULL;
	int err = connect_bus(turn->cpu);

	if (err)
		return err;
	if (turn->want.by_weight && weight == (version1 ? DEFAULT_SHARES : DEFAULT_WEIGHT))
		weight = NOT_SET;
	err = sd_bus_message_new_method_call(
		turn->cpu->bus, &call, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
		"org.freedesktop.systemd1.Manager", "SetUnitProperties");
	if (err >= 0) {
		err = sd_bus_message_append(call, "sba(sv)", turn->place.unit, true, 1,
					    version1 ? "CPUShares" : "CPUWeight", "t", weight);
	}
	if (err >= 0) {
		err = sd_bus_call_async(turn->cpu->bus, &turn->slot, call, on_reply, turn,
					TIMEOUT_US);
	}
	(void)sd_bus_message_unref(call);
	if (err < 0) {
		return vmadj_cpu_fail(turn->cpu, -ENOTCONN, "systemd cannot be asked: %s",
				      strerror(-err));
	}
	return 0;
}
