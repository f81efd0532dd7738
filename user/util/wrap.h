/* SPDX-License-Identifier: GPL-2.0-only */
/* wrap.h - prose in lines that fit a terminal */
#pragma once

#include <stdio.h>

#define VMADJ_WRAP_WIDTH 80

/* Prints @text wrapped, every line from @column on; the cursor is at @at. Ends the line. */
void vmadj_print_wrapped(FILE *out, const char *text, int column, int at);
