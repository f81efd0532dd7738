/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * require.h - the lab in a Criterion test: a VM that cannot be had here skips it
 */
#ifndef VMADJ_LAB_REQUIRE_H
#define VMADJ_LAB_REQUIRE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "tests/lab/lab.h"

/* A macro, so that the report names the test's line. */
#define vmadj_lab_require(call)                                                  \
	do {                                                                     \
		int lab_err = (call);                                            \
                                                                                 \
		if (lab_err == -ENODEV)                                          \
			cr_skip_test("%s", vmadj_lab_why());                     \
		else if (lab_err)                                                \
			cr_fatal("%s: %s", vmadj_lab_why(), strerror(-lab_err)); \
	} while (0)

#endif
