/* SPDX-License-Identifier: GPL-2.0-only */
/* signals.c - the signals that ask this program to end */
#include "user/cmd/signals.h"

#include <errno.h>

static bool is_ignored(int sig)
{
	struct sigaction action;

	return sigaction(sig, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

size_t vmadj_signals_list(int signals[VMADJ_END_SIGNALS_MAX])
{
	size_t n = 0;

	signals[n++] = SIGINT;
	signals[n++] = SIGTERM;
	if (!is_ignored(SIGHUP))
		signals[n++] = SIGHUP;
	return n;
}

int vmadj_signals_block(void)
{
	int signals[VMADJ_END_SIGNALS_MAX];
	size_t n = vmadj_signals_list(signals);
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < n; i++)
		(void)sigaddset(&set, signals[i]);
	return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

bool vmadj_signals_pending(void)
{
	int signals[VMADJ_END_SIGNALS_MAX];
	size_t n = vmadj_signals_list(signals);
	sigset_t pending;

	if (sigpending(&pending) < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (sigismember(&pending, signals[i]) == 1)
			return true;
	}
	return false;
}
