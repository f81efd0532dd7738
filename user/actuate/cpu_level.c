// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpu_level.c - the level at which a VM competes with others for CPU time
 *
 * The scheduler divides time level by level: between the groups (and single threads) in the
 * root, then within each of these, and so on. What is turned has to be the VM's own, and its
 * neighbours on that level the VMs that it competes with:
 *
 * 1. Of all the VM's threads (libvirt has one group a vCPU, and one for the rest) the lowest
 *    common group is taken, in the hierarchy with the cpu controller. In version 2 a group without
 *    cpu.weight is none to the scheduler: the next one above that has it counts, so a VM deep in a
 *    tree whose cpu controller is off competes in the root.
 * 2. On the way there from the root, the first scope, service or domain of libvirt that holds
 *    nobody but this VM is its own: that is what its manager made for it, and what has other VMs
 *    for neighbours. Higher up are slices, which are never touched, even with only one VM in them
 *    at the moment; what is below divides the VM's own time only.
 * 3. Else the lowest common group is its own, when nobody else is in it.
 * 4. Else it shares a group with others. In the root, where autogroup is on, each session is a
 *    group of its own: where nobody else is in the VM's, that is turned.
 * 5. Else the nice values of its threads are. They count among the processes of that group or
 *    session only, so they have an effect between VMs if there is another one: a process
 *    of the same program is taken for one.
 *
 * "Nobody else" are neither the VM's children nor the kernel's threads that work for it. In a group
 * that libvirt or Proxmox made for one VM, helpers that they put there (virtiofsd, swtpm) belong to
 * it too.
 *
 * Autogroup: the kernel moves a session when it is made, not when the switch is thrown. With the
 * switch thrown while VMs run, they are where they were, and nobody can tell from outside.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/actuate/cpu_private.h"

struct level {
	const struct vmadj_cpu *cpu;
	const struct vmadj_target *target;
	const char *root; /* of the hierarchy; "": none is mounted */
	const char *weight_file;
	char path[PATH_MAX]; /* the group in which its threads are, "" for the root */
};

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len > end_len && !strcmp(name + len - end_len, end);
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_systemds(const char *name)
{
	return ends_with(name, ".scope") || ends_with(name, ".service");
}

static bool is_libvirts(const char *name)
{
	return ends_with(name, ".libvirt-qemu") ||
	       (!strncmp(name, "machine-qemu", 12) && ends_with(name, ".scope"));
}

/* Made for many, though perhaps only one is there now. */
static bool is_for_many(const char *name)
{
	return ends_with(name, ".slice") || ends_with(name, ".partition") ||
	       !strcmp(name, "machine");
}

/* A group that a manager of VMs makes for one VM: /machine/X.libvirt-qemu, /qemu.slice/100.scope */
static bool is_made_for_a_vm(const char *path)
{
	const char *name = name_of(path);

	return is_libvirts(name) || (!strncmp(path, "/qemu.slice/", 12) && path + 12 == name &&
				     ends_with(name, ".scope"));
}

/* Up to the group that the scheduler knows. */
static void find_effective(struct level *level)
{
	while (*level->path) {
		char text[32];

		if (vmadj_cpu_file(text, sizeof(text), "%s%s/%s", level->root, level->path,
				   level->weight_file) >= 0)
			return;
		*strrchr(level->path, '/') = '\0';
	}
}

static int make_folder(const struct level *level, char folder[VMADJ_CPU_GROUP_MAX])
{
	int len = snprintf(folder, VMADJ_CPU_GROUP_MAX, "%s%s", level->root, level->path);

	return len < VMADJ_CPU_GROUP_MAX ? 0 : -ENAMETOOLONG;
}

/* Return: 1: nobody else is in the group level->path; 0; -ESRCH. */
static int is_own(const struct level *level, struct vmadj_cpu_company *company)
{
	char folder[VMADJ_CPU_GROUP_MAX];
	int err = make_folder(level, folder);

	if (!err)
		err = vmadj_cpu_company_of_group(level->cpu, level->target->pid, folder, company);
	if (err)
		return err;
	return !company->others || (is_made_for_a_vm(level->path) && !company->peers);
}

/* Cuts the path to the first unit on the way that is the VM's own; Return: as is_own(). */
static int cut_to_unit(struct level *level, bool *ret_systemds)
{
	bool in_slices = true; /* what is below a unit is not systemd's own */

	for (char *at = level->path; *at;) {
		char *end = at + 1 + strcspn(at + 1, "/"), kept = *end;
		struct vmadj_cpu_company company;
		int own = 0;

		*end = '\0';
		if (is_systemds(at + 1) || is_libvirts(at + 1))
			own = is_own(level, &company);
		if (own) {
			*ret_systemds = in_slices && is_systemds(at + 1);
			return own;
		}
		in_slices &= ends_with(at + 1, ".slice");
		*end = kept;
		at = end;
	}
	return 0;
}

static void set_group(const struct level *level, bool systemds, struct vmadj_cpu_place *place)
{
	const struct vmadj_target *target = level->target;
	const char *name = name_of(level->path);

	(void)make_folder(level, place->group);
	if (systemds)
		(void)snprintf(place->unit, sizeof(place->unit), "%.*s", NAME_MAX, name);
	if (is_libvirts(name) && level->cpu->libvirt && target->uuid && target->manager &&
	    !strcmp(target->manager, "libvirt")) {
		place->owner = "libvirt";
	} else if (systemds && vmadj_cpu_systemd_runs(level->cpu)) {
		place->owner = "systemd";
	}
}

/* In the root: threads compete with everybody, or session with session. */
static int level_in_root(const struct level *level, struct vmadj_cpu_place *place)
{
	struct vmadj_cpu_company company;
	int nice, err;

	place->kind = VMADJ_CPU_THREADS;
	if (!vmadj_cpu_autogroup_on(level->cpu) ||
	    vmadj_cpu_autogroup_read(level->cpu, level->target->pid, &nice))
		return 0;
	err = vmadj_cpu_company_of_session(level->cpu, level->target->pid, &company);
	if (err)
		return err;
	if (!company.others) {
		place->kind = VMADJ_CPU_AUTOGROUP;
	} else if (!company.peers) {
		place->level_why_not = "it shares a session with other programs, and nice counts "
				       "only among these: start it with setsid";
	}
	return 0;
}

static int level_in_group(struct level *level, const struct vmadj_cpu_common *common,
			  struct vmadj_cpu_place *place)
{
	enum vmadj_cpu_kind kind = common->version1 ? VMADJ_CPU_CGROUP1 : VMADJ_CPU_CGROUP2;
	struct vmadj_cpu_company company = { 0 };
	bool systemds = false;
	int own = cut_to_unit(level, &systemds);

	if (!own)
		own = is_own(level, &company);
	if (own < 0)
		return own;
	if (own && !is_for_many(name_of(level->path))) {
		place->kind = kind;
		set_group(level, systemds, place);
		return 0;
	}
	place->kind = VMADJ_CPU_THREADS;
	if (common->split) {
		place->kind = VMADJ_CPU_NONE;
		place->level_why_not = "its threads are in several control groups below one that "
				       "is not its own";
	} else if (company.others && !company.peers) {
		place->level_why_not = "it shares a control group with other programs, and nice "
				       "counts only among these: give it a group of its own";
	} else if (!company.others) {
		place->level_why_not = "it is alone in a slice, and has no group of its own";
	}
	return 0;
}

int vmadj_cpu_level(const struct vmadj_cpu *cpu, const struct vmadj_target *target,
		    const struct vmadj_cpu_common *common, struct vmadj_cpu_place *ret_place)
{
	struct level level = {
		.cpu = cpu,
		.target = target,
		.root = common->version1 ? cpu->cgroup1 : cpu->cgroup2,
		.weight_file = common->version1 ? "cpu.shares" : "cpu.weight",
	};

	memset(ret_place, 0, sizeof(*ret_place));
	if (strcmp(common->path, "/") != 0)
		(void)snprintf(level.path, sizeof(level.path), "%s", common->path);
	if (strstr(common->path, "/..")) {
		ret_place->level_why_not = "its control group is outside of what is seen from "
					   "here: run the daemon outside of the container";
		return 0;
	}
	if (common->version1 && !*level.root) {
		ret_place->level_why_not = "the control groups with the cpu controller are not "
					   "mounted";
		return 0;
	}
	if (!*level.root)
		level.path[0] = '\0';
	find_effective(&level);
	return *level.path ? level_in_group(&level, common, ret_place)
			   : level_in_root(&level, ret_place);
}
