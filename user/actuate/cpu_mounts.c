// SPDX-License-Identifier: GPL-2.0-only
/* cpu_mounts.c - where the control groups with the cpu controller are mounted */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/actuate/cpu_private.h"
#include "user/util/cleanup.h"

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL) {
		if (!strncmp(list, word, len) && strchr(",\n", list[len]))
			return true;
	}
	return false;
}

/* ID PARENT DEV ROOT PLACE OPTIONS [MORE...] - TYPE SOURCE OPTIONS */
static void take_line(struct vmadj_cpu *cpu, char *line, bool want1, bool want2)
{
	char *tail = strstr(line, " - "), *save = NULL, *field[5];
	const char *type, *options;

	if (!tail)
		return;
	*tail = '\0';
	for (size_t i = 0; i < 5; i++) {
		field[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!field[i])
			return;
	}
	type = strtok_r(tail + 3, " ", &save);
	(void)strtok_r(NULL, " ", &save);
	options = strtok_r(NULL, " ", &save);
	/* What is only a part of a hierarchy has other paths than /proc/PID/cgroup. */
	if (!type || !options || strcmp(field[3], "/") != 0)
		return;
	if (want1 && !strcmp(type, "cgroup") && has_word(options, "cpu") && !*cpu->cgroup1)
		(void)snprintf(cpu->cgroup1, sizeof(cpu->cgroup1), "%s", field[4]);
	if (want2 && !strcmp(type, "cgroup2") && !*cpu->cgroup2)
		(void)snprintf(cpu->cgroup2, sizeof(cpu->cgroup2), "%s", field[4]);
}

void vmadj_cpu_mounts(struct vmadj_cpu *cpu, bool want1, bool want2)
{
	_cleanup_fclose_ FILE *file = NULL;
	_cleanup_free_ char *line = NULL;
	char path[VMADJ_CPU_ROOT_MAX + 32];
	size_t size = 0;

	(void)snprintf(path, sizeof(path), "%s/self/mountinfo", cpu->proc);
	file = fopen(path, "re");
	while (file && getline(&line, &size, file) > 0)
		take_line(cpu, line, want1, want2);
}
