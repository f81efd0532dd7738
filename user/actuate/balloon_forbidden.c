// SPDX-License-Identifier: GPL-2.0-only
/*
 * balloon_forbidden.c - where a balloon takes from the guest and gives nothing to the host
 *
 * What is given back by the guest stays allocated when a device may write to it at any time
 * (VFIO, vDPA), when it is part of a huge page, locked, or encrypted. And what cannot be read is
 * not known to be allowed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/actuate/balloon.h"
#include "user/util/cleanup.h"
#include "user/util/file.h"
#include "user/util/scan.h"
#include "user/vm/qemu_args.h"

#define TEXT_BYTES_MAX 1048576
#define PART_MAX       512
/* Libraries lock a page or two for their keys; who locks the guest locks all of it. */
#define LOCKED_KIB_MIN 16384

static const char device[] = "a device is passed through (VFIO or vDPA): the memory stays pinned";
static const char huge[] = "its memory is in huge pages";
static const char locked[] = "its memory is locked";
static const char confidential[] = "its memory is confidential";
static const char unreadable[] = "what its process has cannot be read";

/* KEY of an option's value in either form of QEMU's: "TYPE,key=value" or JSON. */
static bool get(const char *value, const char *key, const char *first, char buf[PART_MAX])
{
	const char *text;
	json_t *json, *part;

	if (value[0] != '{')
		return vmadj_qemu_part(value, key, first, buf, PART_MAX);
	json = json_loads(value, 0, NULL);
	part = json_object_get(json, key);
	text = json_is_boolean(part) ? (json_is_true(part) ? "on" : "off")
				     : json_string_value(part);
	(void)snprintf(buf, PART_MAX, "%s", text ? text : "");
	json_decref(json);
	return text;
}

static bool is_on(const char *value, const char *key)
{
	char part[PART_MAX];

	/* "on-fault" locks as well, later. */
	return get(value, key, NULL, part) && (!strncmp(part, "on", 2) || !strcmp(part, "yes"));
}

/* Whether @path is on a hugetlbfs, by lines "SOURCE FOLDER TYPE ...". */
static bool is_huge(const char *path, const char *mounts)
{
	for (const char *at = mounts; at && *at; at = strchr(at, '\n'), at += at != NULL) {
		char folder[PART_MAX], type[32];
		size_t len;

		if (sscanf(at, "%*s %511s %31s", folder, type) != 2 ||
		    strcmp(type, "hugetlbfs") != 0)
			continue;
		len = strlen(folder);
		if (!strncmp(path, folder, len) && (path[len] == '/' || !path[len]))
			return true;
	}
	return false;
}

static const char *judge_device(const char *value, const char *mounts)
{
	char driver[PART_MAX];

	(void)mounts;
	if (!get(value, "driver", "driver", driver))
		return NULL;
	return !strncmp(driver, "vfio-", 5) || !strncmp(driver, "vhost-vdpa", 10) ? device : NULL;
}

static const char *judge_netdev(const char *value, const char *mounts)
{
	char type[PART_MAX];

	(void)mounts;
	return get(value, "type", "type", type) && !strcmp(type, "vhost-vdpa") ? device : NULL;
}

static const char *judge_object(const char *value, const char *mounts)
{
	/* AMD, Intel, Power, IBM Z, Arm: more are called the same way. */
	static const char *const guests[] = { "sev-", "tdx-", "pef-", "s390-pv-", "rme-" };
	char type[PART_MAX], path[PART_MAX];

	if (!get(value, "qom-type", "qom-type", type))
		return NULL;
	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		if (!strncmp(type, guests[i], strlen(guests[i])))
			return confidential;
	}
	if (!strcmp(type, "memory-backend-memfd") && is_on(value, "hugetlb"))
		return huge;
	if (!strcmp(type, "memory-backend-file") && get(value, "mem-path", NULL, path) &&
	    is_huge(path, mounts))
		return huge;
	return NULL;
}

static const char *judge_machine(const char *value, const char *mounts)
{
	char id[PART_MAX];

	(void)mounts;
	return get(value, "confidential-guest-support", NULL, id) ||
			       get(value, "memory-encryption", NULL, id)
		       ? confidential
		       : NULL;
}

static const char *judge_overcommit(const char *value, const char *mounts)
{
	(void)mounts;
	return is_on(value, "mem-lock") ? locked : NULL;
}

static const char *judge_realtime(const char *value, const char *mounts)
{
	(void)mounts;
	return is_on(value, "mlock") ? locked : NULL;
}

static const char *judge_mem_path(const char *value, const char *mounts)
{
	return is_huge(value, mounts) ? huge : NULL;
}

const char *vmadj_balloon_forbidden_args(const char *cmdline, size_t len, const char *mounts)
{
	static const struct {
		const char *option;
		const char *(*judge)(const char *value, const char *mounts);
	} options[] = {
		{ "-device", judge_device },	 { "-netdev", judge_netdev },
		{ "-object", judge_object },	 { "-machine", judge_machine },
		{ "-M", judge_machine },	 { "-overcommit", judge_overcommit },
		{ "-realtime", judge_realtime }, { "-mem-path", judge_mem_path },
	};
	const char *value, *why;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const char *at = cmdline;

		while ((value = vmadj_qemu_next_option(&at, cmdline + len, options[i].option))) {
			why = options[i].judge(value, mounts);
			if (why)
				return why;
		}
	}
	return NULL;
}

static const char *judge_args(pid_t pid)
{
	_cleanup_free_ char *cmdline = malloc(2UL * TEXT_BYTES_MAX);
	char path[32], *mounts;
	ssize_t len;

	if (!cmdline)
		return unreadable;
	mounts = cmdline + TEXT_BYTES_MAX;
	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	len = vmadj_file_read(AT_FDCWD, path, cmdline, TEXT_BYTES_MAX);
	(void)snprintf(path, sizeof(path), "/proc/%d/mounts", pid);
	if (len <= 0 || len == TEXT_BYTES_MAX - 1 ||
	    vmadj_file_read(AT_FDCWD, path, mounts, TEXT_BYTES_MAX) < 0)
		return unreadable;
	return vmadj_balloon_forbidden_args(cmdline, (size_t)len, mounts);
}

static const char *judge_status(pid_t pid)
{
	char path[32], text[4096];
	const char *at;
	uint64_t kib;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return unreadable;
	at = vmadj_scan_after(text, "\nVmLck:");
	return at && vmadj_scan_u64(&at, &kib) && kib >= LOCKED_KIB_MIN ? locked : NULL;
}

static const char *judge_descriptors(pid_t pid)
{
	char path[32], target[64];
	const char *why = NULL;
	struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return unreadable;
	while (!why && (entry = readdir(dir))) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		target[len < 0 ? 0 : len] = '\0';
		if (!strncmp(target, "/dev/vfio/", 10) || !strncmp(target, "/dev/vhost-vdpa", 15))
			why = device;
	}
	(void)closedir(dir);
	return why;
}

const char *vmadj_balloon_forbidden(pid_t pid)
{
	const char *why = judge_args(pid);

	if (!why)
		why = judge_status(pid);
	return why ? why : judge_descriptors(pid);
}
