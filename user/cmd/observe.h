/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * observe.h - an observer for a command, or why there is none
 */
#pragma once

struct vmadj_observer;
struct vmadj_options;

/** vmadj_observe() - open one; what is in the way was said. Return: enum vmadj_exit. */
int vmadj_observe(const struct vmadj_options *options, struct vmadj_observer **ret_observer);
