/* SPDX-License-Identifier: GPL-2.0-only */
/* load_loop.c - a policy whose loading never ends */
#include "policy.h"

__attribute__((constructor)) static void begin(void)
{
	for (volatile int i = 0;; i++)
		;
}
