/* SPDX-License-Identifier: GPL-2.0-only */
/* load_crash.c - a policy that crashes while it is loaded */
#include "policy.h"

static volatile int *volatile nowhere;

__attribute__((constructor)) static void begin(void)
{
	*nowhere = 1;
}
