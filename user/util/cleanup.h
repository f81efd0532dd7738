/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cleanup.h - resources that are given back when their variable goes out of scope
 *
 *	_cleanup_free_ char *text = NULL;
 *	_cleanup_close_ int fd = -1;
 *	_cleanup_(vmadj_inventory_freep) struct vmadj_inventory *inv = NULL;
 *	...
 *	*ret_text = vmadj_steal(text);
 *
 * Every such variable is initialised where it is declared, and a function that
 * uses them has no labels. VMADJ_DEFINE_CLEANUP(type, fn) makes fn##p from a
 * destructor that takes a pointer.
 *
 * Errors: errno survives every one of these.
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn)	 __attribute__((cleanup(fn)))
#define _cleanup_free_	 _cleanup_(vmadj_cleanup_free)
#define _cleanup_close_	 _cleanup_(vmadj_cleanup_close)
#define _cleanup_fclose_ _cleanup_(vmadj_cleanup_fclose)

/* Hand a pointer over: its value is the result, the variable is NULL afterwards. */
#define vmadj_steal(ptr)                         \
	({                                       \
		__typeof__(ptr) stolen_ = (ptr); \
		(ptr) = NULL;                    \
		stolen_;                         \
	})

/* The same for a descriptor that _cleanup_close_ guards. */
static inline int vmadj_steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#define VMADJ_DEFINE_CLEANUP(type, fn)                                                \
	static inline void fn##p(type **ptr) /* NOLINT(bugprone-macro-parentheses) */ \
	{                                                                             \
		if (*ptr)                                                             \
			fn(*ptr);                                                     \
	}

static inline void vmadj_cleanup_free(void *ptr)
{
	int saved = errno;

	free(*(void **)ptr);
	errno = saved;
}

static inline void vmadj_cleanup_close(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

static inline void vmadj_cleanup_fclose(FILE **file)
{
	int saved = errno;

	if (*file)
		(void)fclose(*file);
	errno = saved;
}
