/* SPDX-License-Identifier: GPL-2.0-only */
/* load_write.c - a policy that opens a file for writing while it is loaded */
#include <fcntl.h>

#include "policy.h"

__attribute__((constructor)) static void begin(void)
{
	(void)!open("/dev/null", O_WRONLY);
}
