// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpu_cgroup.c - the weight of a control group, version 1 or 2
 *
 * cpu.shares is the scheduler's weight itself. cpu.weight is it in whole per cents of nice 0, which
 * is a third off at nice 19; cpu.weight.nice has the exact one.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/actuate/cpu_private.h"
#include "user/util/scan.h"

#define DEPTH_MAX  3 /* libvirt's quotas are in the groups of its vCPUs */
#define CENT_SCALE 100
#define NICE0	   1024

static const char *weight_file(const struct vmadj_cpu_place *place)
{
	return place->kind == VMADJ_CPU_CGROUP1 ? "cpu.shares" : "cpu.weight";
}

static uint64_t throttled(const char *folder, int depth)
{
	char text[1024], path[PATH_MAX];
	struct dirent *entry;
	uint64_t n = 0;
	const char *at;
	DIR *dir;

	if (vmadj_cpu_file(text, sizeof(text), "%s/cpu.stat", folder) > 0) {
		at = vmadj_scan_after(text, "nr_throttled");
		if (at)
			(void)vmadj_scan_u64(&at, &n);
	}
	dir = depth ? opendir(folder) : NULL;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) <
			    (int)sizeof(path))
			n += throttled(path, depth - 1);
	}
	if (dir)
		(void)closedir(dir);
	return n;
}

static int read_nice(const struct vmadj_cpu_place *place, uint64_t weight, int *ret_nice)
{
	char text[32];
	char *end;

	if (place->kind == VMADJ_CPU_CGROUP1) {
		*ret_nice = vmadj_weight_to_nice((unsigned int)weight);
		return 0;
	}
	/* The kernel knows the exact weight, and so the nearest nice value better. */
	if (vmadj_cpu_file(text, sizeof(text), "%s/cpu.weight.nice", place->group) <= 0)
		return -ESRCH;
	*ret_nice = (int)strtol(text, &end, 10);
	return end != text ? 0 : -EIO;
}

int vmadj_cpu_group_read(const struct vmadj_cpu *cpu, struct vmadj_cpu_place *place)
{
	uint64_t weight;
	int nice, err;

	(void)cpu;
	err = vmadj_cpu_file_u64(&weight, "%s/%s", place->group, weight_file(place));
	if (!err)
		err = read_nice(place, weight, &nice);
	if (err)
		return err == -EIO ? err : -ESRCH;
	place->nice = nice;
	place->throttled = throttled(place->group, DEPTH_MAX);
	(void)snprintf(place->value, sizeof(place->value), "%s=%" PRIu64,
		       place->kind == VMADJ_CPU_CGROUP1 ? "shares" : "weight", weight);
	return 0;
}

static bool has_own_cpus(const struct vmadj_cpu *cpu, const struct vmadj_cpu_place *place)
{
	char text[64];

	/* Version 1 has it in another hierarchy, where paths are the same if one manager made both.
	 */
	if (place->kind == VMADJ_CPU_CGROUP1) {
		return vmadj_cpu_file(text, sizeof(text), "%s/../cpuset%s/cpuset.cpu_exclusive",
				      cpu->cgroup1, place->group + strlen(cpu->cgroup1)) > 0 &&
		       *text == '1';
	}
	return vmadj_cpu_file(text, sizeof(text), "%s/cpuset.cpus.partition", place->group) > 0 &&
	       (!strncmp(text, "root\n", 5) || !strncmp(text, "isolated\n", 9));
}

const char *vmadj_cpu_group_why_not(const struct vmadj_cpu *cpu,
				    const struct vmadj_cpu_place *place)
{
	uint64_t idle;

	if (!vmadj_cpu_file_u64(&idle, "%s/cpu.idle", place->group) && idle)
		return "its control group is set to run only when nobody else wants to (cpu.idle)";
	if (has_own_cpus(cpu, place))
		return "its CPUs are its own: its cpuset is exclusive";
	if (vmadj_cpu_alone(cpu, place->group))
		return "it is the only one on its level: nobody to share with";
	return NULL;
}

bool vmadj_cpu_group_holds(const struct vmadj_cpu *cpu, const struct vmadj_cpu_place *place,
			   const struct vmadj_cpu_common *common)
{
	const char *root = common->version1 ? cpu->cgroup1 : cpu->cgroup2;
	size_t root_len = strlen(root), len = strlen(place->group);

	if (len <= root_len || strncmp(place->group, root, root_len) != 0)
		return false;
	len -= root_len;
	return !strncmp(common->path, place->group + root_len, len) &&
	       (common->path[len] == '\0' || common->path[len] == '/');
}

uint64_t vmadj_cpu_group_weight(const struct vmadj_cpu_place *place,
				const struct vmadj_cpu_want *want)
{
	uint64_t weight;

	if (want->by_weight)
		return want->weight;
	weight = vmadj_nice_to_weight(want->nice);
	if (place->kind == VMADJ_CPU_CGROUP1)
		return weight;
	return (weight * CENT_SCALE + NICE0 / 2) / NICE0;
}

int vmadj_cpu_group_write(const struct vmadj_cpu_place *place, const struct vmadj_cpu_want *want)
{
	if (place->kind == VMADJ_CPU_CGROUP2 && !want->by_weight)
		return vmadj_cpu_file_write(want->nice, "%s/cpu.weight.nice", place->group);
	return vmadj_cpu_file_write((long long)vmadj_cpu_group_weight(place, want), "%s/%s",
				    place->group, weight_file(place));
}

bool vmadj_cpu_group_is(const struct vmadj_cpu *cpu, const struct vmadj_cpu_place *place,
			const struct vmadj_cpu_want *want, bool exactly)
{
	struct vmadj_cpu_place now = *place;
	uint64_t weight;
	const char *at;

	if (vmadj_cpu_group_read(cpu, &now))
		return false;
	if (exactly && !want->by_weight && now.nice != want->nice)
		return false;
	if (exactly && !want->by_weight && place->kind == VMADJ_CPU_CGROUP2)
		return true;
	at = strchr(now.value, '=') + 1;
	return vmadj_scan_u64(&at, &weight) && weight == vmadj_cpu_group_weight(place, want);
}
