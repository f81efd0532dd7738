/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks.h - the list behind `vmadjust-bpf doctor`
 *
 * Ownership: the list copies every string but @area and @name, which are literals.
 */
#pragma once

#include "user/observe/observer.h"

/**
 * vmadj_checks_ok() - add a line about something that is there
 * vmadj_checks_lack() - add a line about something that is not
 *
 * A line that finds no memory is dropped with a message in the log.
 */
__attribute__((format(printf, 4, 5))) void vmadj_checks_ok(struct vmadj_checks *checks,
							   const char *area, const char *name,
							   const char *fmt, ...);

struct vmadj_lack {
	const char *area;
	const char *name;
	enum vmadj_check_state state;
	const char *cost;
	const char *remedy;
};

__attribute__((format(printf, 3, 4))) void vmadj_checks_lack(struct vmadj_checks *checks,
							     const struct vmadj_lack *lack,
							     const char *fmt, ...);

void vmadj_checks_clear(struct vmadj_checks *checks);
