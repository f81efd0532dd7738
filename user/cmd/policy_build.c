/* SPDX-License-Identifier: GPL-2.0-only */
/* policy_build.c - `vmadjust-bpf policy build`: compile a policy as the Makefile does */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/cmd/exitcode.h"
#include "user/cmd/policy.h"
#include "user/policy/paths.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"

#define COMPILER	 "cc"
#define EXIT_NO_COMPILER 127

/* Compiles @source into @object. Return: the compiler's exit status; -errno. */
static int compile(const char *source, const char *object)
{
	char include_dir[PATH_MAX], include[PATH_MAX + 4];
	const char *const argv[] = {
		COMPILER,
		"-O2",
		"-g",
		"-std=gnu11",
		"-Wall",
		"-Wextra",
		"-Wshadow",
		"-Wmissing-prototypes",
		"-Wformat=2",
		"-Wundef",
		"-Wtype-limits",
		"-Wstrict-prototypes",
		include,
		"-shared",
		"-fPIC",
		source,
		"-o",
		object,
		"-lm",
		NULL,
	};
	int status = 0;
	pid_t pid;

	if (vmadj_policy_include_dir(include_dir, sizeof(include_dir)))
		return -ENOENT;
	(void)snprintf(include, sizeof(include), "-I%s", include_dir);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)execvp(argv[0], (char *const *)argv);
		_exit(EXIT_NO_COMPILER);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECANCELED;
}

static int say_failure(const char *source, int status)
{
	if (status == EXIT_NO_COMPILER) {
		log_err("there is no C compiler \"" COMPILER "\"; install gcc or clang");
	} else if (status == -ENOENT) {
		log_err("policy.h was not found beside this program; install it whole");
	} else if (status < 0) {
		log_err("cannot compile %s: %s", source, strerror(-status));
	} else {
		log_err("%s does not compile; nothing was written", source);
	}
	return VMADJ_EXIT_FAILED;
}

/* What others may write to, or nobody can read, would not be loaded. */
static int put_in_place(const char *object, const char *output)
{
	if (chmod(object, 0755) < 0 || rename(object, output) < 0)
		return -errno;
	return 0;
}

int vmadj_policy_build(const char *source, const char *output)
{
	char path[PATH_MAX], beside[PATH_MAX], object[PATH_MAX];
	size_t len = strlen(source);
	int err;

	if (len < 3 || len >= sizeof(beside) || strcmp(source + len - 2, ".c") != 0) {
		log_err("\"%s\" is no file of C; give one that ends in \".c\"", source);
		return VMADJ_EXIT_FAILED;
	}
	if (!realpath(source, path)) {
		log_err("cannot read %s: %m", source);
		return VMADJ_EXIT_FAILED;
	}
	(void)snprintf(beside, sizeof(beside), "%.*sso", (int)(len - 1), source);
	if (!output)
		output = beside;
	/* Not into the file itself: a policy of that name may be running. */
	if ((size_t)snprintf(object, sizeof(object), "%s%s.%d", *output == '-' ? "./" : "", output,
			     getpid()) >= sizeof(object)) {
		log_err("\"%s\" is too long for the name of a file", output);
		return VMADJ_EXIT_FAILED;
	}
	err = compile(path, object);
	if (err) {
		(void)unlink(object);
		return say_failure(source, err);
	}
	err = put_in_place(object, output);
	if (err) {
		(void)unlink(object);
		log_err("cannot write %s: %s", output, strerror(-err));
		return VMADJ_EXIT_FAILED;
	}
	log_info("%s is built; \"vmadjust-bpf policy check %s\" tries it", output, output);
	return VMADJ_EXIT_DONE;
}
