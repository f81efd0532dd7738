// SPDX-License-Identifier: GPL-2.0-only
/* cpu.c - the CPU knob: give a VM the share that a nice value means */
#include "user/actuate/cpu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/actuate/cpu_turn.h"
#include "user/util/cleanup.h"
#include "user/util/parse.h"

#define NICE_MIN (-20)
#define NICE_MAX 19

static const struct kind_words {
	const char *name;
	const char *value; /* the word in front of '=' */
} kinds[] = {
	[VMADJ_CPU_NONE] = { "none", "" },
	[VMADJ_CPU_CGROUP2] = { "cgroup2-weight", "weight" },
	[VMADJ_CPU_CGROUP1] = { "cgroup1-shares", "shares" },
	[VMADJ_CPU_AUTOGROUP] = { "autogroup", "autogroup" },
	[VMADJ_CPU_THREADS] = { "thread-nice", "threads" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *vmadj_cpu_kind_name(enum vmadj_cpu_kind kind)
{
	return (size_t)kind < KINDS ? kinds[kind].name : kinds[VMADJ_CPU_NONE].name;
}

enum vmadj_cpu_kind vmadj_cpu_kind_of(const char *name)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (!strcmp(name, kinds[i].name))
			return (enum vmadj_cpu_kind)i;
	}
	return VMADJ_CPU_NONE;
}

static void set_root(char root[VMADJ_CPU_ROOT_MAX], const char *given, const char *kernels)
{
	(void)snprintf(root, VMADJ_CPU_ROOT_MAX, "%s", given ? given : kernels);
}

int vmadj_cpu_new(sd_event *event, struct vmadj_libvirt *libvirt,
		  const struct vmadj_cpu_roots *roots, struct vmadj_cpu **ret_cpu)
{
	static const struct vmadj_cpu_roots none;
	struct vmadj_cpu *cpu = calloc(1, sizeof(*cpu));

	if (!cpu)
		return -ENOMEM;
	if (!roots)
		roots = &none;
	cpu->event = sd_event_ref(event);
	cpu->libvirt = libvirt;
	vmadj_cpu_libvirt_init(cpu);
	set_root(cpu->proc, roots->proc, "/proc");
	set_root(cpu->sys, roots->sys, "/sys");
	set_root(cpu->run, roots->run, "/run");
	set_root(cpu->cgroup1, roots->cgroup1, "");
	set_root(cpu->cgroup2, roots->cgroup2, "");
	vmadj_cpu_mounts(cpu, !roots->cgroup1, !roots->cgroup2);
	*ret_cpu = cpu;
	return 0;
}

void vmadj_cpu_free(struct vmadj_cpu *cpu)
{
	if (!cpu)
		return;
	while (cpu->turns) {
		if (cpu->libvirt)
			cpu->forget(cpu->libvirt, cpu->turns);
		vmadj_cpu_turn_free(cpu->turns);
	}
	/* Without a flush, which would wait for a bus that does not read. */
	(void)sd_bus_close_unref(cpu->bus);
	(void)sd_event_unref(cpu->event);
	free(cpu);
}

void vmadj_cpu_use_bus(struct vmadj_cpu *cpu, sd_bus *bus)
{
	(void)sd_bus_ref(bus);
	(void)sd_bus_unref(cpu->bus);
	cpu->bus = bus;
}

const char *vmadj_cpu_why(const struct vmadj_cpu *cpu)
{
	return cpu->why;
}

static bool sched_ext_runs(const struct vmadj_cpu *cpu)
{
	char text[32];

	return vmadj_cpu_file(text, sizeof(text), "%s/kernel/sched_ext/state", cpu->sys) > 0 &&
	       !strncmp(text, "enabled", 7);
}

int vmadj_cpu_describe(const struct vmadj_cpu *cpu, char *buf, size_t size)
{
	uint64_t enabled;
	char text[128];
	bool version2 =
		vmadj_cpu_file(text, sizeof(text), "%s/cgroup.controllers", cpu->cgroup2) > 0 &&
		strstr(text, "cpu ");
	const char *groups = *cpu->cgroup1 ? "cgroup v1 cpu.shares"
			     : version2	   ? "cgroup v2 cpu.weight"
					   : "no cgroups with the cpu controller";
	const char *autogroup = vmadj_cpu_autogroup_on(cpu) ? "on" : "off";

	if (vmadj_cpu_file_u64(&enabled, "%s/sys/kernel/sched_autogroup_enabled", cpu->proc))
		autogroup = "not built";
	return snprintf(buf, size, "%s, autogroup %s, %s, sched_ext %s", groups, autogroup,
			vmadj_cpu_systemd_runs(cpu) ? "systemd" : "no systemd",
			sched_ext_runs(cpu) ? "on" : "off");
}

/* --- looking --- */

static const char *why_not(const struct vmadj_cpu *cpu, const struct vmadj_cpu_common *common,
			   const struct vmadj_cpu_place *place)
{
	if (place->kind == VMADJ_CPU_NONE)
		return place->level_why_not;
	if (common->realtime) {
		return "some of its threads run in a real-time or deadline class, which knows no "
		       "weights";
	}
	if (sched_ext_runs(cpu))
		return "a sched_ext scheduler runs and may ignore weights";
	if (place->level_why_not)
		return place->level_why_not;
	if (place->kind == VMADJ_CPU_CGROUP1 || place->kind == VMADJ_CPU_CGROUP2)
		return vmadj_cpu_group_why_not(cpu, place);
	if (place->kind == VMADJ_CPU_THREADS && common->nice_mixed)
		return "its threads have nice values of their own: somebody set them by hand";
	if (place->kind == VMADJ_CPU_THREADS && common->idle_class)
		return "some of its threads are in the idle class, which knows no nice values";
	return NULL;
}

static int look(const struct vmadj_cpu *cpu, pid_t pid, const struct vmadj_cpu_common *common,
		struct vmadj_cpu_place *place)
{
	int err = 0;

	switch (place->kind) {
	case VMADJ_CPU_NONE:
		break;
	case VMADJ_CPU_CGROUP2:
	case VMADJ_CPU_CGROUP1:
		err = vmadj_cpu_group_read(cpu, place);
		break;
	case VMADJ_CPU_AUTOGROUP:
		err = vmadj_cpu_autogroup_read(cpu, pid, &place->nice);
		vmadj_cpu_value_of(place, place->nice, place->value);
		break;
	case VMADJ_CPU_THREADS:
		place->nice = common->nice;
		vmadj_cpu_value_of(place, place->nice, place->value);
		if (common->nice_mixed)
			(void)snprintf(place->value, sizeof(place->value), "threads=mixed");
		break;
	}
	place->why_not = why_not(cpu, common, place);
	place->effective = !place->why_not;
	return err ? -ESRCH : 0;
}

int vmadj_cpu_find(struct vmadj_cpu *cpu, const struct vmadj_target *target,
		   struct vmadj_cpu_place *ret_place)
{
	struct vmadj_cpu_common common;
	struct vmadj_cpu_place place;
	int err = vmadj_cpu_check(cpu, target->pid, target->start_ticks);

	if (!err)
		err = vmadj_cpu_common(cpu, target->pid, &common);
	if (!err)
		err = vmadj_cpu_level(cpu, target, &common, &place);
	if (!err)
		err = look(cpu, target->pid, &common, &place);
	/* Until now it was the same process; what was read is about it. */
	if (!err)
		err = vmadj_cpu_check(cpu, target->pid, target->start_ticks);
	if (err)
		return vmadj_cpu_fail(cpu, -ESRCH, "the VM is gone");
	*ret_place = place;
	return 0;
}

int vmadj_cpu_read(struct vmadj_cpu *cpu, const struct vmadj_target *target,
		   struct vmadj_cpu_place *place)
{
	struct vmadj_cpu_place now = *place;
	struct vmadj_cpu_common common;
	int err = vmadj_cpu_check(cpu, target->pid, target->start_ticks);

	if (!err)
		err = vmadj_cpu_common(cpu, target->pid, &common);
	if (!err)
		err = look(cpu, target->pid, &common, &now);
	if (err)
		return vmadj_cpu_fail(cpu, -ESRCH, "the VM or its group is gone");
	if (now.effective && now.throttled > place->throttled) {
		now.effective = false;
		now.why_not = "its quota (cpu.max) is used up and holds it back, not its share";
	}
	*place = now;
	return 0;
}

/* --- turning --- */

void vmadj_cpu_value_of(const struct vmadj_cpu_place *place, int nice,
			char value[VMADJ_CPU_VALUE_MAX])
{
	const struct vmadj_cpu_want want = { .nice = nice };
	const char *word = kinds[place->kind].value;

	if (place->kind == VMADJ_CPU_NONE) {
		*value = '\0';
	} else if (place->kind == VMADJ_CPU_CGROUP1 || place->kind == VMADJ_CPU_CGROUP2) {
		(void)snprintf(value, VMADJ_CPU_VALUE_MAX, "%s=%" PRIu64, word,
			       vmadj_cpu_group_weight(place, &want));
	} else {
		(void)snprintf(value, VMADJ_CPU_VALUE_MAX, "%s=%d", word, nice);
	}
}

static int parse_nice(const char *text, int *ret_nice)
{
	uint64_t number;
	bool minus = *text == '-';
	int err = vmadj_parse_u64(text + minus, 0, minus ? -NICE_MIN : NICE_MAX, &number);

	if (err)
		return -EINVAL;
	*ret_nice = minus ? -(int)number : (int)number;
	return 0;
}

static int parse_value(enum vmadj_cpu_kind kind, const char *value, struct vmadj_cpu_want *ret_want)
{
	const char *word = kinds[kind].value;
	bool is_group = kind == VMADJ_CPU_CGROUP1 || kind == VMADJ_CPU_CGROUP2;
	size_t len = strlen(word);

	memset(ret_want, 0, sizeof(*ret_want));
	if (kind == VMADJ_CPU_CGROUP2 && !strncmp(value, "nice=", 5))
		return parse_nice(value + 5, &ret_want->nice);
	if (kind == VMADJ_CPU_NONE || strncmp(value, word, len) != 0 || value[len] != '=')
		return -EINVAL;
	if (!is_group)
		return parse_nice(value + len + 1, &ret_want->nice);
	ret_want->by_weight = true;
	return vmadj_parse_u64(value + len + 1, 1, 1000000, &ret_want->weight) ? -EINVAL : 0;
}

/* Without what is wanted. Return: NULL: no memory. */
static struct vmadj_cpu_turn *turn_new(struct vmadj_cpu *cpu, const struct vmadj_target *target,
				       const struct vmadj_cpu_place *place, vmadj_cpu_done done,
				       void *userdata)
{
	struct vmadj_cpu_turn *turn = calloc(1, sizeof(*turn));

	if (!turn) {
		(void)vmadj_cpu_fail(cpu, -ENOMEM, "no memory");
		return NULL;
	}
	turn->cpu = cpu;
	turn->pid = target->pid;
	turn->start_ticks = target->start_ticks;
	turn->pidfd = -1;
	(void)snprintf(turn->uuid, sizeof(turn->uuid), "%s", target->uuid ? target->uuid : "");
	turn->place = *place;
	turn->done = done;
	turn->userdata = userdata;
	return turn;
}

/* NOLINTNEXTLINE(readability-function-size): a callback needs two */
int vmadj_cpu_set(struct vmadj_cpu *cpu, const struct vmadj_target *target,
		  const struct vmadj_cpu_place *place, int nice, vmadj_cpu_done done,
		  void *userdata)
{
	struct vmadj_cpu_place now = *place;
	struct vmadj_cpu_turn *turn;
	int err;

	if (nice < NICE_MIN || nice > NICE_MAX)
		return vmadj_cpu_fail(cpu, -EINVAL, "nice values are %d to %d", NICE_MIN, NICE_MAX);
	if (place->kind == VMADJ_CPU_NONE)
		return vmadj_cpu_fail(cpu, -EOPNOTSUPP, "%s", place->level_why_not);
	err = vmadj_cpu_read(cpu, target, &now);
	if (err)
		return err;
	if (!strcmp(now.value, "threads=mixed"))
		return vmadj_cpu_fail(cpu, -EOPNOTSUPP, "%s", now.why_not);
	turn = turn_new(cpu, target, place, done, userdata);
	if (!turn)
		return -ENOMEM;
	turn->want.nice = nice;
	return vmadj_cpu_turn(turn);
}

/* NOLINTNEXTLINE(readability-function-size): a callback needs two */
int vmadj_cpu_put(struct vmadj_cpu *cpu, const struct vmadj_target *target,
		  const struct vmadj_cpu_place *place, const char *value, vmadj_cpu_done done,
		  void *userdata)
{
	struct vmadj_cpu_turn *turn;
	struct vmadj_cpu_want want;
	int err = parse_value(place->kind, value, &want);

	if (err) {
		return vmadj_cpu_fail(cpu, err, "\"%s\" is no value of %s", value,
				      vmadj_cpu_kind_name(place->kind));
	}
	turn = turn_new(cpu, target, place, done, userdata);
	if (!turn)
		return -ENOMEM;
	turn->want = want;
	return vmadj_cpu_turn(turn);
}
