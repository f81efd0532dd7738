// SPDX-License-Identifier: GPL-2.0-only
/* json_depth.c - how deeply a foreign text is nested, before it is parsed */
#include "user/util/json_depth.h"

bool vmadj_json_is_deeper(const char *text, size_t len, unsigned int max)
{
	unsigned int depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"') {
			quoted = !quoted;
		} else if (quoted) {
			i += text[i] == '\\';
		} else if ((text[i] == '{' || text[i] == '[') && ++depth > max) {
			return true;
		} else if (depth && (text[i] == '}' || text[i] == ']')) {
			depth--;
		}
	}
	return false;
}
