/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * observe.h - an observer for a command, or why there is none
 */
#pragma once

#include "user/observe/observer.h"

struct vmadj_options;

/** vmadj_observe() - open one; what is in the way was said. Return: enum vmadj_exit. */
int vmadj_observe(const struct vmadj_options *options, enum vmadj_mode mode,
		  struct vmadj_observer **ret_observer);
