/* SPDX-License-Identifier: GPL-2.0-only */
/* json_depth.h - how deeply a foreign text is nested, before it is parsed */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether @text, as far as it is JSON, has objects and arrays more than @max within each other. */
bool vmadj_json_is_deeper(const char *text, size_t len, unsigned int max);
