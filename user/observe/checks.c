// SPDX-License-Identifier: GPL-2.0-only
/* checks.c - the list behind `vmadjust-bpf doctor` */
#include "user/observe/checks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/util/log.h"

static void check_add(struct vmadj_checks *checks, const struct vmadj_lack *line, char *found)
{
	struct vmadj_check *check;

	check = reallocarray(checks->check, checks->n + 1, sizeof(*check));
	if (!check || !found) {
		log_err("out of memory: no room for a check of %s", line->name);
		free(found);
		return;
	}
	checks->check = check;
	check[checks->n++] = (struct vmadj_check){
		.area = line->area,
		.name = line->name,
		.state = line->state,
		.found = found,
		.cost = line->cost ? strdup(line->cost) : NULL,
		.remedy = line->remedy ? strdup(line->remedy) : NULL,
	};
}

__attribute__((format(printf, 1, 0))) static char *format(const char *fmt, va_list args)
{
	char *text = NULL;

	return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

void vmadj_checks_ok(struct vmadj_checks *checks, const char *area, const char *name,
		     const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	check_add(checks, &(struct vmadj_lack){ .area = area, .name = name }, format(fmt, args));
	va_end(args);
}

void vmadj_checks_lack(struct vmadj_checks *checks, const struct vmadj_lack *lack, const char *fmt,
		       ...)
{
	va_list args;

	va_start(args, fmt);
	check_add(checks, lack, format(fmt, args));
	va_end(args);
}

void vmadj_checks_clear(struct vmadj_checks *checks)
{
	for (size_t i = 0; i < checks->n; i++) {
		free(checks->check[i].found);
		free(checks->check[i].cost);
		free(checks->check[i].remedy);
	}
	free(checks->check);
	*checks = (struct vmadj_checks){ 0 };
}
