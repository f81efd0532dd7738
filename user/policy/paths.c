/* SPDX-License-Identifier: GPL-2.0-only */
/* paths.c - where policies and what they are compiled with are found */
#include "user/policy/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Written into @buf, when @wanted is there: the first of @places below the program's folder. */
static int find(const char *const *places, const char *wanted, char *buf, size_t size)
{
	char program[PATH_MAX], path[PATH_MAX + 64], real[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (n < 0)
		return -errno;
	program[n] = '\0';
	*strrchr(program, '/') = '\0';
	for (; *places; places++) {
		(void)snprintf(path, sizeof(path), "%s/%s/%s", program, *places, wanted);
		if (access(path, F_OK) != 0 || !realpath(path, real))
			continue;
		if (*wanted)
			*strrchr(real, '/') = '\0';
		return (size_t)snprintf(buf, size, "%s", real) < size ? 0 : -ENAMETOOLONG;
	}
	return -ENOENT;
}

int vmadj_policy_dir(char *buf, size_t size)
{
	static const char *const places[] = { "policies", "../lib/vmadjust-bpf/policies", NULL };

	return find(places, "", buf, size);
}

int vmadj_policy_include_dir(char *buf, size_t size)
{
	/* Of the tree: build folders may lie one or two levels below its top. */
	static const char *const places[] = { "../include/vmadjust-bpf", "../policies",
					      "../../policies", NULL };

	return find(places, "policy.h", buf, size);
}
