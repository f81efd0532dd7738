/* SPDX-License-Identifier: GPL-2.0-only */
/* load_socket.c - a policy that opens a socket while it is loaded */
#include <sys/socket.h>

#include "policy.h"

__attribute__((constructor)) static void begin(void)
{
	(void)!socket(AF_UNIX, SOCK_STREAM, 0);
}
