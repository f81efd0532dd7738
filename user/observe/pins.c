// SPDX-License-Identifier: GPL-2.0-only
/* pins.c - the maps under the BPF file system */
#include "user/observe/pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <linux/magic.h>

#include "user/util/log.h"
#include "user/util/process.h"
#include "user/util/scan.h"

struct vmadj_pins {
	char dir[PATH_MAX / 4];
	char own[PATH_MAX / 2];
	int others;
};

static bool on_bpf_fs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

/* Files of one level, then the folder; what is not there any more is no fault. */
static void remove_dir(const char *path)
{
	char file[PATH_MAX];
	struct dirent *entry;
	DIR *dir = opendir(path);

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		(void)unlink(file);
	}
	(void)closedir(dir);
	(void)rmdir(path);
}

/* A folder PID-STARTTIME belongs to a live process, or is to be removed. */
static void look_at(struct vmadj_pins *pins, const char *name)
{
	char path[PATH_MAX];
	uint64_t pid, start, now;
	const char *at = name;

	if (!vmadj_scan_u64(&at, &pid) || *at++ != '-' || !vmadj_scan_u64(&at, &start) || *at)
		return;
	if (!vmadj_process_start((pid_t)pid, &now) && now == start) {
		pins->others = (pid_t)pid;
		return;
	}
	(void)snprintf(path, sizeof(path), "%s/%s", pins->dir, name);
	log_info("removing %s, left by a process that is gone", path);
	remove_dir(path);
}

static int make_dirs(struct vmadj_pins *pins)
{
	char parent[PATH_MAX / 4], *slash;
	struct dirent *entry;
	uint64_t start;
	DIR *dir;
	int err;

	(void)snprintf(parent, sizeof(parent), "%s", pins->dir);
	slash = strrchr(parent, '/');
	if (!slash)
		return -EINVAL;
	*slash = '\0';
	if (!on_bpf_fs(parent))
		return access(parent, X_OK) ? -errno : -ENOTSUP;
	if (mkdir(pins->dir, 0755) && errno != EEXIST)
		return -errno;
	dir = opendir(pins->dir);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		look_at(pins, entry->d_name);
	(void)closedir(dir);
	err = vmadj_process_start(getpid(), &start);
	if (err)
		return err;
	(void)snprintf(pins->own, sizeof(pins->own), "%s/%d-%" PRIu64, pins->dir, getpid(), start);
	return mkdir(pins->own, 0755) ? -errno : 0;
}

int vmadj_pins_open(const char *dir, struct vmadj_pins **ret_pins)
{
	struct vmadj_pins *pins = calloc(1, sizeof(*pins));
	int err;

	if (!pins)
		return -ENOMEM;
	(void)snprintf(pins->dir, sizeof(pins->dir), "%s", dir);
	err = make_dirs(pins);
	if (err) {
		free(pins);
		return err;
	}
	*ret_pins = pins;
	return 0;
}

void vmadj_pins_close(struct vmadj_pins *pins)
{
	if (!pins)
		return;
	remove_dir(pins->own);
	/* Fails where another observer is at work, as it should. */
	(void)rmdir(pins->dir);
	free(pins);
}

int vmadj_pins_add(struct vmadj_pins *pins, const struct bpf_object *object)
{
	char path[PATH_MAX];
	struct bpf_map *map;
	int err;

	bpf_object__for_each_map (map, object) {
		if (bpf_map__is_internal(map) || bpf_map__is_pinned(map))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", pins->own, bpf_map__name(map));
		if (!access(path, F_OK))
			continue;
		err = bpf_map__pin(map, path);
		if (err)
			return err;
	}
	return 0;
}

const char *vmadj_pins_path(const struct vmadj_pins *pins)
{
	return pins->own;
}

int vmadj_pins_others(const struct vmadj_pins *pins)
{
	return pins->others;
}
