/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor_knobs.h - what of this host's VMs could be turned
 *
 * Ownership: vmadj_doctor_knobs_free() takes a zeroed list.
 */
#pragma once

#include "user/observe/observer.h"

/**
 * vmadj_doctor_knobs() - @checks and behind them those of the area "knobs"
 *
 * The list of @checks is not changed, and its texts must outlive the new one.
 *
 * Return: 0; -ENOMEM; -errno of looking for VMs.
 */
int vmadj_doctor_knobs(struct vmadj_observer *observer, const struct vmadj_checks *checks,
		       struct vmadj_checks *ret_all);
void vmadj_doctor_knobs_free(const struct vmadj_checks *checks, struct vmadj_checks *all);
