// SPDX-License-Identifier: GPL-2.0-only
/* cpu_tree.c - a made-up /proc and control groups in a folder of their own, for the CPU knob */
#include "tests/lib/cpu_tree.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/util/file.h"

#define PATH_SIZE 512

static char top[64];
static char roots_of[5][128];
static struct vmadj_cpu_roots roots;
static struct vmadj_cpu *knob;
static sd_event *event;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void cpu_tree_remove(void)
{
	vmadj_cpu_free(knob);
	knob = NULL;
	event = sd_event_unref(event);
	if (*top)
		(void)nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	*top = '\0';
}

static void make_path(char path[PATH_SIZE], const char *name)
{
	char *slash = path + strlen(top) + 1;

	if (snprintf(path, PATH_SIZE, "%s/%s", top, name) >= PATH_SIZE)
		cr_fatal("%s: too long", name);
	while ((slash = strchr(slash, '/'))) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			cr_fatal("%s: %s", path, strerror(errno));
		*slash++ = '/';
	}
}

void cpu_tree_write(const char *name, const char *text)
{
	char path[PATH_SIZE];
	FILE *file;

	make_path(path, name);
	file = fopen(path, "we");
	if (!file || fputs(text, file) < 0 || fclose(file))
		cr_fatal("%s: %s", path, strerror(errno));
}

const char *cpu_tree_read(const char *name)
{
	static char text[512];
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		cr_fatal("%s cannot be read", path);
	return text;
}

static const char *root_of(size_t i, const char *name)
{
	(void)snprintf(roots_of[i], sizeof(roots_of[i]), "%s/%s", top, name);
	return roots_of[i];
}

const struct vmadj_cpu_roots *cpu_tree_make(void)
{
	(void)snprintf(top, sizeof(top), "/tmp/cpu-tree.XXXXXX");
	/* For everybody to look into: a test may give up its rights. */
	if (!mkdtemp(top) || chmod(top, 0755))
		cr_fatal("%s: %s", top, strerror(errno));
	roots = (struct vmadj_cpu_roots){
		.proc = root_of(0, "proc"),
		.cgroup1 = "",
		.cgroup2 = "",
		.sys = root_of(1, "sys"),
		.run = root_of(2, "run"),
	};
	return &roots;
}

static void write_stat(const char *name, const struct cpu_tree_process *process)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "%d (%s) S %d %d %d 0 -1 0 0 0 0 0 0 0 0 0 20 %d 1 0 %d 0 0 "
		       "18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 %u 0 0 0\n",
		       process->pid, process->comm ? process->comm : "vmm", process->ppid,
		       process->pid, process->session ? process->session : process->pid,
		       process->nice, CPU_TREE_START, process->policy);
	cpu_tree_write(name, text);
}

void cpu_tree_thread(const struct cpu_tree_process *process, pid_t tid)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "proc/%d/task/%d/stat", process->pid, tid);
	write_stat(name, process);
	(void)snprintf(name, sizeof(name), "proc/%d/task/%d/cgroup", process->pid, tid);
	cpu_tree_write(name, process->cgroup ? process->cgroup : "0::/\n");
}

void cpu_tree_process(const struct cpu_tree_process *process)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "proc/%d/stat", process->pid);
	write_stat(name, process);
	cpu_tree_thread(process, process->pid);
}

static void write_in(const char *folder, const char *file, const char *text)
{
	char name[384];

	(void)snprintf(name, sizeof(name), "%s/%s", folder, file);
	cpu_tree_write(name, text);
}

void cpu_tree_group(int version, const char *path, const char *pids)
{
	char folder[256], lines[256];

	if (version == 1)
		roots.cgroup1 = root_of(3, "v1/cpu");
	else
		roots.cgroup2 = root_of(4, "v2");
	(void)snprintf(folder, sizeof(folder), "%s%s", version == 1 ? "v1/cpu" : "v2", path);
	(void)snprintf(lines, sizeof(lines), "%s%s", pids, *pids ? "\n" : "");
	for (char *blank = lines; (blank = strchr(blank, ' '));)
		*blank = '\n';
	write_in(folder, "cgroup.procs", lines);
	if (version == 1) {
		write_in(folder, "cpu.shares", "1024\n");
	} else if (*path) {
		write_in(folder, "cpu.weight", "100\n");
		write_in(folder, "cpu.weight.nice", "0\n");
	}
}

sd_event *cpu_tree_event(void)
{
	if (!event && sd_event_new(&event) < 0)
		cr_fatal("no event loop");
	return event;
}

struct vmadj_cpu *cpu_tree_knob(const struct vmadj_cpu_roots *at, struct vmadj_libvirt *libvirt)
{
	vmadj_cpu_free(knob);
	knob = NULL;
	if (vmadj_cpu_new(cpu_tree_event(), libvirt, at, &knob))
		cr_fatal("no knob");
	return knob;
}

struct vmadj_target cpu_tree_vm(void)
{
	return (struct vmadj_target){
		.id = "1-777", .name = "web1", .pid = getpid(), .start_ticks = CPU_TREE_START
	};
}

void cpu_tree_vm_in(const char *cgroup)
{
	cpu_tree_process(&(struct cpu_tree_process){
		.pid = getpid(), .ppid = 1, .comm = "qemu-system-x86", .cgroup = cgroup });
}

void cpu_tree_group_of_vm(int version, const char *path, const char *others)
{
	char pids[64];

	(void)snprintf(pids, sizeof(pids), "%d%s%s", getpid(), *others ? " " : "", others);
	cpu_tree_group(version, path, pids);
}

struct vmadj_cpu_place cpu_tree_find_of(const struct vmadj_target *target,
					struct vmadj_libvirt *libvirt)
{
	struct vmadj_cpu_place place;

	cpu_tree_knob(&roots, libvirt);
	if (vmadj_cpu_find(knob, target, &place))
		cr_fatal("%s", vmadj_cpu_why(knob));
	if (place.effective != !place.why_not)
		cr_fatal("effective, and yet: %s", place.why_not);
	return place;
}

struct vmadj_cpu_place cpu_tree_find(void)
{
	const struct vmadj_target vm = cpu_tree_vm();

	return cpu_tree_find_of(&vm, NULL);
}

void cpu_tree_expect(const struct vmadj_cpu_place *place, enum vmadj_cpu_kind kind,
		     const char *path)
{
	const char *found = strstr(place->group, "/v");

	cr_expect(eq(str, (char *)vmadj_cpu_kind_name(place->kind),
		     (char *)vmadj_cpu_kind_name(kind)));
	cr_expect(eq(str, (char *)(found ? found + 1 : ""), (char *)path));
}

void cpu_tree_expect_why(const struct vmadj_cpu_place *place, const char *words)
{
	if (!place->why_not)
		cr_fatal("it should be without effect: %s", words);
	cr_expect(strstr(place->why_not, words) != NULL, "%s", place->why_not);
}
