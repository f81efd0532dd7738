/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor.h - the checks of the observer, for people and for programs
 *
 * Ownership: the text belongs to the caller.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/observe/observer.h"

struct vmadj_doctor_report {
	const struct vmadj_checks *checks;
	bool can_observe;
};

/* Return: 0; -ENOMEM. */
int vmadj_doctor_to_text(const struct vmadj_doctor_report *report, bool color, char **ret_text,
			 size_t *ret_len);

/* One line with its newline. Return: 0; -ENOMEM. */
int vmadj_doctor_to_json(const struct vmadj_doctor_report *report, char **ret_text,
			 size_t *ret_len);
