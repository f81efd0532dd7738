// SPDX-License-Identifier: GPL-2.0-only
/* held.c - what a daemon holds: memory, descriptors, and slots of its maps */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/types.h>

#include "bpf/life.h"
#include "tools/bench/scale/scale.h"
#include "user/util/cleanup.h"
#include "user/util/file.h"
#include "user/util/scan.h"

/* The map that a descriptor of the process is, if it has that name. Return: a descriptor; -errno.
 */
static int open_map(pid_t pid, const char *number, const char *name)
{
	_cleanup_close_ int fd = -1;
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	char path[64], text[1024];
	const char *at;
	uint64_t id;

	(void)snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.16s", pid, number);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return -ENOENT;
	at = vmadj_scan_after(text, "map_id:");
	if (!at || !vmadj_scan_u64(&at, &id))
		return -ENOENT;
	fd = bpf_map_get_fd_by_id((__u32)id);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) || strcmp(info.name, name) != 0)
		return -ENOENT;
	return vmadj_steal_fd(&fd);
}

static size_t count_orphans(int map)
{
	const size_t bytes = sizeof(struct vmadj_thread) * VMADJ_SLOTS;
	const struct vmadj_thread *threads = mmap(NULL, bytes, PROT_READ, MAP_SHARED, map, 0);
	size_t orphans = 0;
	char path[32];

	for (size_t i = 1; threads != MAP_FAILED && i < VMADJ_SLOTS; i++) {
		if (threads[i].state == VMADJ_THREAD_FREE)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%u", threads[i].tid);
		orphans += access(path, F_OK) != 0;
	}
	if (threads != MAP_FAILED)
		(void)munmap((void *)threads, bytes);
	return threads != MAP_FAILED ? orphans : SIZE_MAX;
}

static int read_resident(pid_t pid, double *ret_mib)
{
	char path[64], text[4096];
	const char *at;
	uint64_t kib;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return -ESRCH;
	at = vmadj_scan_after(text, "\nVmRSS:");
	if (!at || !vmadj_scan_u64(&at, &kib))
		return -ESRCH;
	*ret_mib = (double)kib / 1024;
	return 0;
}

int vmadj_bench_held_read(pid_t pid, struct vmadj_bench_held *ret_held)
{
	struct vmadj_bench_held held = { .orphans = SIZE_MAX };
	struct dirent *entry;
	char path[64];
	DIR *dir;
	int err = read_resident(pid, &held.resident_mib);

	if (err)
		return err;
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		_cleanup_close_ int map = -1;

		if (entry->d_name[0] == '.')
			continue;
		held.descriptors++;
		if (held.orphans == SIZE_MAX)
			map = open_map(pid, entry->d_name, "life_thread");
		if (map >= 0)
			held.orphans = count_orphans(map);
	}
	(void)closedir(dir);
	*ret_held = held;
	return held.orphans == SIZE_MAX ? -ENODATA : 0;
}
