// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_virt_libvirt.c - libvirt as it is: real domains, QEMUs that stop, daemons that end
 *
 * The tests that end or stop libvirtd have one of their own (an unprivileged user's, with libvirt's
 * test driver), since others use the host's.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/libvirt_client.h"
#include "user/util/file.h"
#include "user/virt/libvirt.h"
#include "user/virt/libvirt_process.h"
#include "user/vm/qemu_args.h"

#define UNDONE	  1
#define MIB	  (1ULL << 20)
#define S	  1000000ULL
#define NOBODY	  65534
#define LIBVIRTD  "/usr/sbin/libvirtd"
#define TEST_UUID "6695eb01-f6a4-8304-79aa-97f2502e193f" /* the test driver's only domain */

static sd_event *event;
static struct vmadj_libvirt *libvirt;
static char folder[] = "/tmp/vmadj-libvirtd-XXXXXX"; /* once it is made */
static bool folder_made;
static pid_t daemon_pid, stopped[2];

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void daemon_end(void)
{
	if (!daemon_pid)
		return;
	(void)kill(daemon_pid, SIGKILL);
	(void)waitpid(daemon_pid, NULL, 0);
	daemon_pid = 0;
}

static void clean_up(void)
{
	for (size_t i = 0; i < 2; i++) {
		if (stopped[i])
			(void)kill(stopped[i], SIGCONT);
	}
	vmadj_libvirt_free(libvirt);
	sd_event_unref(event);
	daemon_end();
	if (folder_made)
		(void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(virt_libvirt, .timeout = 120, .fini = clean_up);

/* Deadlines for what will not be answered are short, others are for a slow machine. */
static void set_times(uint64_t cheap_us, uint64_t other_us)
{
	const struct vmadj_libvirt_times times = {
		.cheap_us = cheap_us,
		.balloon_us = other_us,
		.set_us = other_us,
		.agent_us = other_us,
		.alone = { .first_us = S / 5, .max_us = 2 * S },
	};

	vmadj_libvirt_set_times(libvirt, &times);
}

struct result {
	int err;
	struct vmadj_libvirt_answer answer;
	char error[256];
};

static void done(void *userdata, int err, const struct vmadj_libvirt_answer *answer)
{
	struct result *result = userdata;

	result->err = err;
	result->answer = *answer;
	(void)snprintf(result->error, sizeof(result->error), "%s", answer->error);
}

static int begin(const char *uuid, enum vmadj_libvirt_what what, uint64_t value,
		 struct result *result)
{
	*result = (struct result){ .err = UNDONE };
	return vmadj_libvirt_ask(libvirt, uuid, what, value, done, result);
}

static int wait_for(struct result *result)
{
	while (result->err == UNDONE)
		(void)sd_event_run(event, UINT64_MAX);
	return result->err;
}

/* Return: what ask() or the callback gave. */
static int ask(const char *uuid, enum vmadj_libvirt_what what, uint64_t value,
	       struct result *result)
{
	int err = begin(uuid, what, value, result);

	return err ? err : wait_for(result);
}

/* Asks until the answer is @err; the test's own time limit ends it. */
static void ask_until(const char *uuid, enum vmadj_libvirt_what what, int err,
		      struct result *result)
{
	while (ask(uuid, what, 0, result) != err)
		(void)sd_event_run(event, S / 20);
}

static void must(const char *uuid, enum vmadj_libvirt_what what, uint64_t value,
		 struct result *result)
{
	int err = ask(uuid, what, value, result);

	if (err)
		cr_fatal("question %d: %s: %s", what, strerror(-err), result->error);
}

static void copy_uuid(const struct vmadj_lab_vm *vm, char uuid[37])
{
	char path[32], cmdline[16384];
	const char *value;
	ssize_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", vmadj_lab_vm_pid(vm));
	len = vmadj_file_read(AT_FDCWD, path, cmdline, sizeof(cmdline));
	value = len > 0 ? vmadj_qemu_option(cmdline, (size_t)len, "-uuid") : NULL;
	if (!value)
		cr_fatal("%s has no -uuid", path);
	(void)snprintf(uuid, 37, "%s", value);
}

static void start_vm(struct vmadj_lab_vm **ret_vm, char uuid[37])
{
	const struct vmadj_lab_linux want = { .balloon = true };

	vmadj_lab_require(vmadj_lab_libvirt_start(&want, ret_vm));
	copy_uuid(*ret_vm, uuid);
}

static void wait_for_actual(const char *uuid, uint64_t bytes)
{
	struct result result;

	do {
		(void)sd_event_run(event, S / 20);
		must(uuid, VMADJ_LIBVIRT_BALLOON, 0, &result);
	} while (result.answer.balloon.actual_bytes != bytes);
}

Test(virt_libvirt, a_balloon_is_asked_and_set)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct result result;
	char uuid[37];

	start_vm(&vm, uuid);
	libvirt_client_open(NULL, &event, &libvirt);
	set_times(60 * S, 60 * S);
	must(uuid, VMADJ_LIBVIRT_STATE, 0, &result);
	cr_expect(result.answer.running);
	cr_expect(eq(u64, result.answer.max_bytes, 128 * MIB));
	must(uuid, VMADJ_LIBVIRT_BALLOON, 0, &result);
	cr_expect(not(result.answer.job_active));
	cr_expect(eq(u64, result.answer.balloon.actual_bytes, 128 * MIB));
	cr_expect(eq(u64, result.answer.balloon.oom_kills, VMADJ_BALLOON_UNSET));
	must(uuid, VMADJ_LIBVIRT_GET_PERIOD, 0, &result);
	cr_expect(eq(u64, result.answer.period_s, 0));
	must(uuid, VMADJ_LIBVIRT_SET_PERIOD, 1, &result);
	must(uuid, VMADJ_LIBVIRT_GET_PERIOD, 0, &result);
	cr_expect(eq(u64, result.answer.period_s, 1));
	do {
		(void)sd_event_run(event, S / 10);
		must(uuid, VMADJ_LIBVIRT_BALLOON, 0, &result);
	} while (result.answer.balloon.last_update_s == 0);
	cr_expect(gt(u64, result.answer.balloon.free_bytes, 0));
	cr_expect(lt(u64, result.answer.balloon.available_bytes, 128 * MIB));
	cr_expect(lt(u64, result.answer.balloon.total_bytes, 128 * MIB));
	must(uuid, VMADJ_LIBVIRT_SET_MEMORY, 96 * MIB, &result);
	wait_for_actual(uuid, 96 * MIB);
	must(uuid, VMADJ_LIBVIRT_SET_MEMORY, 128 * MIB, &result);
	wait_for_actual(uuid, 128 * MIB);
	must(uuid, VMADJ_LIBVIRT_SET_PERIOD, 0, &result);
	must(uuid, VMADJ_LIBVIRT_GET_PERIOD, 0, &result);
	cr_expect(eq(u64, result.answer.period_s, 0));
	cr_expect(eq(str, (char *)vmadj_libvirt_status(libvirt), "answers"));
}

Test(virt_libvirt, shares_are_asked_and_set)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct result result;
	uint64_t before;
	char uuid[37];

	start_vm(&vm, uuid);
	libvirt_client_open(NULL, &event, &libvirt);
	set_times(60 * S, 60 * S);
	if (ask(uuid, VMADJ_LIBVIRT_GET_SHARES, 0, &result))
		cr_skip_test("no CPU shares here: %s", result.error);
	before = result.answer.shares;
	must(uuid, VMADJ_LIBVIRT_SET_SHARES, before / 2, &result);
	must(uuid, VMADJ_LIBVIRT_GET_SHARES, 0, &result);
	cr_expect(eq(u64, result.answer.shares, before / 2));
	must(uuid, VMADJ_LIBVIRT_SET_SHARES, before, &result);
	must(uuid, VMADJ_LIBVIRT_GET_SHARES, 0, &result);
	cr_expect(eq(u64, result.answer.shares, before));
}

Test(virt_libvirt, what_cannot_be_is_said)
{
	const struct vmadj_lab_linux want = { .balloon = false };
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct result result;
	char uuid[37];

	vmadj_lab_require(vmadj_lab_libvirt_start(&want, &vm));
	copy_uuid(vm, uuid);
	libvirt_client_open(NULL, &event, &libvirt);
	set_times(60 * S, 60 * S);
	cr_expect(eq(int, ask(uuid, VMADJ_LIBVIRT_BALLOON, 0, &result), -EOPNOTSUPP));
	cr_expect(ne(str, result.error, ""));
	cr_expect(eq(int,
		     ask("00000000-0000-0000-0000-000000000001", VMADJ_LIBVIRT_STATE, 0, &result),
		     -ENOENT));
	cr_expect(ne(int, ask(uuid, VMADJ_LIBVIRT_SET_MEMORY, 4096 * MIB, &result), 0));
	cr_expect(ne(str, result.error, ""));
}

static void stop(int i, const struct vmadj_lab_vm *vm)
{
	stopped[i] = vmadj_lab_vm_pid(vm);
	(void)kill(stopped[i], SIGSTOP);
}

static void go_on(int i)
{
	(void)kill(stopped[i], SIGCONT);
	stopped[i] = 0;
}

Test(virt_libvirt, a_qemu_that_stands_still_delays_nobody)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm_a = NULL, *vm_b = NULL;
	struct result a, b;
	char uuid_a[37], uuid_b[37];
	pid_t helper;

	start_vm(&vm_a, uuid_a);
	start_vm(&vm_b, uuid_b);
	libvirt_client_open(NULL, &event, &libvirt);
	set_times(60 * S, 60 * S);
	must(uuid_a, VMADJ_LIBVIRT_BALLOON, 0, &a);
	helper = vmadj_libvirt_helper_pid(libvirt);
	set_times(60 * S, 5 * S);
	stop(0, vm_a);
	cr_assert(eq(int, begin(uuid_a, VMADJ_LIBVIRT_BALLOON, 0, &a), 0));
	set_times(60 * S, 60 * S);
	/* Many: threads that share a connection wait for each other only now and then. */
	for (int i = 0; i < 30; i++)
		must(uuid_b, VMADJ_LIBVIRT_BALLOON, 0, &b);
	if (a.err != UNDONE)
		cr_log_warn("this host is too slow to tell who waits for whom");
	set_times(60 * S, 5 * S);
	cr_assert(eq(int, wait_for(&a), -ETIMEDOUT));
	must(uuid_a, VMADJ_LIBVIRT_STATE, 0, &a); /* libvirtd tells that itself */
	cr_expect(a.answer.running);
	must(uuid_b, VMADJ_LIBVIRT_BALLOON, 0, &b);
	/* When it is asked again, it is not QEMU that is asked. */
	do {
		ask_until(uuid_a, VMADJ_LIBVIRT_BALLOON, -EAGAIN, &a);
		(void)sd_event_run(event, S / 20);
	} while (!a.error[0]);
	cr_expect(eq(str, a.error, "QEMU does not answer libvirt"));
	cr_expect(eq(int, vmadj_libvirt_helper_pid(libvirt), helper));
	go_on(0);
	ask_until(uuid_a, VMADJ_LIBVIRT_BALLOON, 0, &a);
	cr_expect(eq(u64, a.answer.balloon.actual_bytes, 128 * MIB));
	cr_expect(eq(int, vmadj_libvirt_helper_pid(libvirt), helper), "one stuck call is borne");
}

Test(virt_libvirt, two_qemus_that_stand_still_cost_a_helper)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm_a = NULL, *vm_b = NULL;
	struct result a, b;
	char uuid_a[37], uuid_b[37];
	pid_t helper;

	start_vm(&vm_a, uuid_a);
	start_vm(&vm_b, uuid_b);
	libvirt_client_open(NULL, &event, &libvirt);
	set_times(60 * S, 60 * S);
	must(uuid_a, VMADJ_LIBVIRT_STATE, 0, &a);
	helper = vmadj_libvirt_helper_pid(libvirt);
	set_times(60 * S, 2 * S);
	stop(0, vm_a);
	stop(1, vm_b);
	cr_assert(eq(int, begin(uuid_a, VMADJ_LIBVIRT_BALLOON, 0, &a), 0));
	cr_assert(eq(int, begin(uuid_b, VMADJ_LIBVIRT_BALLOON, 0, &b), 0));
	cr_expect(eq(int, wait_for(&a), -ETIMEDOUT));
	cr_expect(eq(int, wait_for(&b), -ETIMEDOUT));
	cr_expect(eq(int, vmadj_libvirt_helper_pid(libvirt), 0));
	must(uuid_a, VMADJ_LIBVIRT_STATE, 0, &a);
	must(uuid_b, VMADJ_LIBVIRT_STATE, 0, &b);
	cr_expect(ne(int, vmadj_libvirt_helper_pid(libvirt), helper));
	cr_expect(ne(int, kill(helper, 0), 0), "the old one is gone, and reaped");
	go_on(0);
	go_on(1);
	ask_until(uuid_a, VMADJ_LIBVIRT_BALLOON, 0, &a);
	ask_until(uuid_b, VMADJ_LIBVIRT_BALLOON, 0, &b);
}

/* Between fork() and exec(): a user of its own, whose libvirtd keeps to the user's folder. */
static __attribute__((noreturn)) void become_daemon(const char *config)
{
	static const char *const variables[] = { "HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME",
						 "XDG_CACHE_HOME", "XDG_DATA_HOME" };
	int null = open("/dev/null", O_RDWR);

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		(void)setenv(variables[i], folder, 1);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(null, STDERR_FILENO);
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || chdir("/"))
		_exit(1);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)execl(LIBVIRTD, "libvirtd", "--config", config, NULL);
	_exit(1);
}

static void daemon_start(void)
{
	char config[64];

	(void)snprintf(config, sizeof(config), "%s/libvirtd.conf", folder);
	daemon_pid = fork();
	if (!daemon_pid)
		become_daemon(config);
}

static void open_client_of_own_daemon(void)
{
	char uri[128], config[64];
	FILE *file;

	if (access(LIBVIRTD, X_OK) || geteuid())
		cr_skip_test("no libvirtd of our own without " LIBVIRTD " and root");
	folder_made = mkdtemp(folder);
	(void)snprintf(config, sizeof(config), "%s/libvirtd.conf", folder);
	file = folder_made ? fopen(config, "we") : NULL;
	/* The helper is root without any capability: it needs to be let in. */
	if (!file || chown(folder, NOBODY, NOBODY) || chmod(folder, 0755) ||
	    fprintf(file, "unix_sock_dir = \"%s\"\nunix_sock_rw_perms = \"0777\"\n", folder) < 0 ||
	    fclose(file))
		cr_fatal("%s: %m", folder);
	(void)snprintf(uri, sizeof(uri), "test+unix:///default?socket=%s/libvirt-sock", folder);
	libvirt_client_open(uri, &event, &libvirt);
	set_times(60 * S, 60 * S);
}

Test(virt_libvirt, libvirtd_comes_and_goes)
{
	struct result result;

	open_client_of_own_daemon();
	cr_expect(eq(int, ask(TEST_UUID, VMADJ_LIBVIRT_STATE, 0, &result), -ENOTCONN));
	cr_expect(ne(ptr, strstr((char *)vmadj_libvirt_status(libvirt), "does not answer"), NULL));
	for (int i = 0; i < 20; i++) {
		daemon_start();
		ask_until(TEST_UUID, VMADJ_LIBVIRT_STATE, 0, &result);
		cr_expect(result.answer.running);
		daemon_end();
		cr_expect(eq(int, ask(TEST_UUID, VMADJ_LIBVIRT_STATE, 0, &result), -ENOTCONN));
	}
}

Test(virt_libvirt, libvirtd_that_stands_still_is_left_alone)
{
	struct result result;
	pid_t helper;

	open_client_of_own_daemon();
	daemon_start();
	ask_until(TEST_UUID, VMADJ_LIBVIRT_STATE, 0, &result);
	helper = vmadj_libvirt_helper_pid(libvirt);
	set_times(S, S);
	(void)kill(daemon_pid, SIGSTOP);
	/* A thread that could not connect before there was a libvirtd says so for a while. */
	ask_until(TEST_UUID, VMADJ_LIBVIRT_STATE, -ETIMEDOUT, &result);
	cr_expect(eq(int, ask(TEST_UUID, VMADJ_LIBVIRT_STATE, 0, &result), -EAGAIN));
	ask_until(TEST_UUID, VMADJ_LIBVIRT_STATE, -ETIMEDOUT, &result);
	cr_expect(eq(int, vmadj_libvirt_helper_pid(libvirt), 0), "the second ended it");
	/* The new one is stuck where it connects. */
	ask_until(TEST_UUID, VMADJ_LIBVIRT_STATE, -ETIMEDOUT, &result);
	cr_expect(ne(int, vmadj_libvirt_helper_pid(libvirt), helper));
	(void)kill(daemon_pid, SIGCONT);
	ask_until(TEST_UUID, VMADJ_LIBVIRT_STATE, 0, &result);
}

Test(virt_libvirt, a_killed_helper_is_started_anew)
{
	struct result result;
	pid_t helper;

	open_client_of_own_daemon();
	daemon_start();
	ask_until(TEST_UUID, VMADJ_LIBVIRT_STATE, 0, &result);
	helper = vmadj_libvirt_helper_pid(libvirt);
	(void)kill(helper, SIGKILL);
	ask_until(TEST_UUID, VMADJ_LIBVIRT_STATE, -ENOTCONN, &result);
	ask_until(TEST_UUID, VMADJ_LIBVIRT_STATE, 0, &result);
	cr_expect(ne(int, vmadj_libvirt_helper_pid(libvirt), helper));
}
