/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvmvm_util.h - what the parts of kvmvm share: failing, time, threads
 *
 * kvmvm is one program with few users: what it cannot do ends it, with the
 * reason on stderr.
 */
#ifndef VMADJ_LAB_KVMVM_UTIL_H
#define VMADJ_LAB_KVMVM_UTIL_H

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NSEC_MSEC  1000000L
#define NSEC_SEC   1000000000L
#define STACK_SIZE ((size_t)PTHREAD_STACK_MIN + 16384)

static inline __attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...)
{
	int code = errno;
	va_list ap;

	va_start(ap, format);
	fputs("kvmvm: ", stderr);
	vfprintf(stderr, format, ap);
	fprintf(stderr, ": %s\n", strerror(code));
	va_end(ap);
	exit(EXIT_FAILURE);
}

static inline int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NSEC_SEC + ts.tv_nsec;
}

static inline void burn_ns(int64_t ns)
{
	int64_t end = now_ns() + ns;

	while (now_ns() < end)
		;
}

static inline void sleep_ms(unsigned int ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NSEC_MSEC };

	(void)nanosleep(&ts, NULL);
}

static inline int thread_start(pthread_t *ret_thread, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	err = pthread_create(ret_thread, &attr, run, arg);
	pthread_attr_destroy(&attr);
	return -err;
}

#endif
