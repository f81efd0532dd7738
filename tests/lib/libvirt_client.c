/* SPDX-License-Identifier: GPL-2.0-only */
/* libvirt_client.c - the helper that talks with libvirt, as a test starts it */
#include "tests/lib/libvirt_client.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void libvirt_client_open(const char *uri, sd_event **ret_event, struct vmadj_libvirt **ret_libvirt)
{
	static char program[4096]; /* is kept by reference */
	const char *output = getenv("O");

#ifdef __SANITIZE_ADDRESS__
	cr_skip_test("ASan puts itself before xdr_*() of libtirpc, which libvirt loads later, and "
		     "jumps to NULL");
#endif
	(void)snprintf(program, sizeof(program), "%s/vmadjust-bpf", output ? output : "build");
	if (access(program, X_OK))
		cr_skip_test("%s is not built", program);
	vmadj_libvirt_set_program(program);
	if (sd_event_new(ret_event) < 0 || vmadj_libvirt_new(*ret_event, uri, ret_libvirt))
		cr_fatal("no client");
}
