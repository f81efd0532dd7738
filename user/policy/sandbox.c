/* SPDX-License-Identifier: GPL-2.0-only */
/* sandbox.c - what a policy's process takes from itself before it loads the policy */
#include "user/policy/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "user/policy/wire.h"
#include "user/util/file.h"

#define FILES_MAX 16

/* What a sanitizer keeps beside each byte does not fit into a limit of address space. */
#if defined(__has_feature)
#define LIMIT_MEMORY (!__has_feature(address_sanitizer))
#elif defined(__SANITIZE_ADDRESS__)
#define LIMIT_MEMORY 0
#else
#define LIMIT_MEMORY 1
#endif

/* Of memory, time and itself: both filters allow them, whatever their arguments. */
static const int harmless_calls[] = {
	SCMP_SYS(brk),		SCMP_SYS(munmap),	  SCMP_SYS(mremap),
	SCMP_SYS(madvise),	SCMP_SYS(futex),	  SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday),	  SCMP_SYS(time),
	SCMP_SYS(getrandom),	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),	SCMP_SYS(getpid),	  SCMP_SYS(gettid),
	SCMP_SYS(sched_yield),	SCMP_SYS(close),	  SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),		SCMP_SYS(exit_group),
};

/* What dlopen() needs beside them. */
static const int loading_calls[] = {
	SCMP_SYS(read),	 SCMP_SYS(pread64),    SCMP_SYS(fstat),	  SCMP_SYS(newfstatat),
	SCMP_SYS(lseek), SCMP_SYS(readlinkat), SCMP_SYS(seccomp), SCMP_SYS(close_range),
	SCMP_SYS(mmap),	 SCMP_SYS(mprotect),
};

static int drop_user(const struct vmadj_sandbox *sandbox)
{
	if (sandbox->uid < 0)
		return 0;
	if (setgroups(0, NULL) < 0)
		return -errno;
	if (setresgid((gid_t)sandbox->gid, (gid_t)sandbox->gid, (gid_t)sandbox->gid) < 0)
		return -errno;
	if (setresuid((uid_t)sandbox->uid, (uid_t)sandbox->uid, (uid_t)sandbox->uid) < 0)
		return -errno;
	return 0;
}

static int drop_rights(const struct vmadj_sandbox *sandbox)
{
	int err;

	capng_clear(CAPNG_SELECT_ALL);
	/* Without CAP_SETPCAP it stays; nothing is ever executed from here that could use it. */
	(void)capng_apply(CAPNG_SELECT_BOUNDS);
	err = drop_user(sandbox);
	if (err)
		return err;
	if (capng_apply(CAPNG_SELECT_CAPS) != 0 || capng_have_capabilities(CAPNG_SELECT_CAPS) > 0)
		return -EPERM;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* After the change of user, which resets them. */
static int tie_to_daemon(const struct vmadj_sandbox *sandbox)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	return getppid() == sandbox->daemon_pid ? 0 : -ESRCH;
}

static uint64_t address_space_bytes(void)
{
	char statm[128];

	if (vmadj_file_read(AT_FDCWD, "/proc/self/statm", statm, sizeof(statm)) < 0)
		return 0;
	return strtoull(statm, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int limit(int what, uint64_t value)
{
	const struct rlimit rlimit = { .rlim_cur = value, .rlim_max = value };

	return setrlimit((__rlimit_resource_t)what, &rlimit) < 0 ? -errno : 0;
}

static int limit_all(const struct vmadj_sandbox *sandbox)
{
	uint64_t own = address_space_bytes();
	int err = own == 0 ? -EIO : 0;

	if (!err && LIMIT_MEMORY)
		err = limit(RLIMIT_AS, own + sandbox->memory_bytes);
	if (!err)
		err = limit(RLIMIT_NOFILE, FILES_MAX);
	if (!err)
		err = limit(RLIMIT_FSIZE, 0);
	if (!err)
		err = limit(RLIMIT_CORE, 0);
	if (!err)
		err = limit(RLIMIT_MEMLOCK, 0);
	if (!err)
		err = limit(RLIMIT_NPROC, 0);
	return err;
}

/* --- filters ------------------------------------------------------------ */

static int allow_all_of(scmp_filter_ctx filter, const int *calls, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return err;
}

static int allow_on_fd(scmp_filter_ctx filter, int call, int fd)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd, 0));
}

static int allow_talking(scmp_filter_ctx filter)
{
	int err = allow_on_fd(filter, SCMP_SYS(recvmsg), VMADJ_RUNNER_SOCKET_FD);

	if (!err)
		err = allow_on_fd(filter, SCMP_SYS(sendto), VMADJ_RUNNER_SOCKET_FD);
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO && !err; fd++) {
		err = allow_on_fd(filter, SCMP_SYS(write), fd);
		if (!err)
			err = allow_on_fd(filter, SCMP_SYS(writev), fd);
	}
	/* abort() */
	if (!err) {
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2,
				       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0),
				       SCMP_A2(SCMP_CMP_EQ, SIGABRT, 0));
	}
	return err;
}

/* A filter that allows what both stages need. */
static int make_filter(void **ret_filter)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int err;

	if (!filter)
		return -ENOMEM;
	*ret_filter = filter;
	err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (!err) {
		err = allow_all_of(filter, harmless_calls,
				   sizeof(harmless_calls) / sizeof(harmless_calls[0]));
	}
	return err ? err : allow_talking(filter);
}

static int make_filters(struct vmadj_sandbox *sandbox)
{
	const scmp_datum_t not_reading = O_ACCMODE | O_CREAT | O_TRUNC;
	int err = make_filter(&sandbox->loading);

	if (!err) {
		err = allow_all_of(sandbox->loading, loading_calls,
				   sizeof(loading_calls) / sizeof(loading_calls[0]));
	}
	if (!err) {
		err = seccomp_rule_add(sandbox->loading, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, not_reading, O_RDONLY));
	}
	if (!err)
		err = make_filter(&sandbox->running);
	/* No code but that which was loaded. */
	if (!err) {
		err = seccomp_rule_add(sandbox->running, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	}
	if (!err) {
		err = seccomp_rule_add(sandbox->running, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	}
	return err;
}

int vmadj_sandbox_enter(struct vmadj_sandbox *sandbox, const char **ret_what)
{
	int err;

	*ret_what = "give up its rights (is this user known, and may the daemon become it?)";
	err = drop_rights(sandbox);
	if (err)
		return err;
	*ret_what = "tie itself to the daemon";
	err = tie_to_daemon(sandbox);
	if (err)
		return err;
	*ret_what = "make its system-call filters";
	err = make_filters(sandbox);
	if (err)
		return err;
	*ret_what = "limit itself";
	return limit_all(sandbox);
}

int vmadj_sandbox_allow_loading(struct vmadj_sandbox *sandbox)
{
	return seccomp_load(sandbox->loading);
}

int vmadj_sandbox_allow_running(struct vmadj_sandbox *sandbox)
{
	return seccomp_load(sandbox->running);
}
