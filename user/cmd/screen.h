/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * screen.h - what standard output is: a terminal that is drawn over, or a stream
 */
#pragma once

#include <stdbool.h>

#include "user/cmd/table.h"

/* Colours where they can be seen and nobody minds (--no-color, $NO_COLOR, TERM=dumb). */
bool vmadj_screen_color(bool no_color);

/* Whether the locale is UTF-8. */
bool vmadj_screen_utf8(void);

/* The style for the next frame; asked anew each time, since windows change their size. */
void vmadj_screen_style(bool no_color, struct vmadj_table_style *ret_style);

/**
 * vmadj_screen_enter() - clear the terminal, hide its cursor and say what is awaited
 *
 * Return: enum vmadj_exit.
 */
int vmadj_screen_enter(double first_frame_s);

/* Give the cursor back. */
void vmadj_screen_leave(void);
