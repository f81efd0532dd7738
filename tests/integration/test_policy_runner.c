/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_policy_runner.c - policies in real processes, most of them hostile: is each contained, is
 * the reason right, does it come back, is it given up, and is nothing left of it?
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/data/policies/hostile.h"
#include "tests/lib/grab_log.h"
#include "tests/lib/sample_snapshot.h"
#include "user/policy/runner.h"
#include "user/util/log.h"

#define PATIENCE_S 60  /* far more than anything here takes */
#define DEADLINE_S 5   /* of policies that are not meant to miss it */
#define SHORT_S	   0.3 /* of those that are */
#define RESTART_S  0.01
#define WISHES_MAX 64
#define NO_FD	   "/proc/self/fd"

/* Under ASan a policy has no limit of memory; see sandbox.c. */
#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#define WITH_ASAN __has_feature(address_sanitizer)
#else
#define WITH_ASAN 0
#endif

static struct sample sample;
static sd_event *event;
static struct vmadj_runner *runner;
static int n_ready, n_wishes, n_failed, n_refused;
static struct vmadj_policy_wish wish[WISHES_MAX];
static size_t last_n;
static uint64_t last_seq, seq;
static char refused_why[256];
static int fds_before;

static int count_fds(void)
{
	DIR *dir = opendir(NO_FD);
	int n = 0;

	cr_assert(ne(ptr, dir, NULL));
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

static void on_ready(void *userdata, struct vmadj_runner *which)
{
	(void)userdata;
	(void)which;
	n_ready++;
}

static void on_wishes(void *userdata, struct vmadj_runner *which, uint64_t of_seq,
		      const struct vmadj_policy_wish *wishes, size_t n)
{
	(void)userdata;
	(void)which;
	n_wishes++;
	last_seq = of_seq;
	last_n = n;
	memcpy(wish, wishes, (n < WISHES_MAX ? n : WISHES_MAX) * sizeof(*wish));
}

static void on_refused(void *userdata, struct vmadj_runner *which, const char *why)
{
	(void)userdata;
	(void)which;
	n_refused++;
	(void)snprintf(refused_why, sizeof(refused_why), "%s", why);
}

static void on_failed(void *userdata, struct vmadj_runner *which, const char *why)
{
	(void)userdata;
	(void)which;
	(void)why;
	n_failed++;
}

static const struct vmadj_runner_events events = {
	.ready = on_ready,
	.wishes = on_wishes,
	.refused = on_refused,
	.failed = on_failed,
};

static void set_up(void)
{
	static char program[PATH_MAX], path[PATH_MAX];
	const char *out = getenv("O");

	(void)unsetenv("JOURNAL_STREAM");
	(void)snprintf(path, sizeof(path), "%s/vmadjust-bpf", out ? out : "build");
	cr_assert(ne(ptr, realpath(path, program), NULL), "%s: make it first", path);
	vmadj_runner_set_program(program);
	sample_make(&sample);
	grab_log_start();
	/* All of 0 to 2 are open, so that closing one by mistake is seen. */
	cr_assert(eq(int, dup2(STDERR_FILENO, STDIN_FILENO), STDIN_FILENO));
	fds_before = count_fds();
	cr_assert(ge(int, sd_event_new(&event), 0));
}

static void tear_down(void)
{
	vmadj_runner_free(runner);
}

TestSuite(policy_runner, .timeout = 120, .init = set_up, .fini = tear_down);

/* At the end of each test: no process, no descriptor. (What fails in .fini fails no test.) */
static void assert_nothing_is_left(void)
{
	vmadj_runner_free(runner);
	runner = NULL;
	(void)sd_event_unref(event);
	cr_assert(eq(int, waitpid(-1, NULL, WNOHANG), -1), "a process is left");
	cr_assert(eq(int, count_fds(), fds_before), "descriptors are left");
}

static void run_until(const int *count, int at_least)
{
	time_t end = time(NULL) + PATIENCE_S;

	while (*count < at_least) {
		cr_assert(ge(int, sd_event_run(event, 100000), 0));
		cr_assert(lt(long, time(NULL), end),
			  "nothing happens; state %d, why \"%s\", log: %s",
			  vmadj_runner_state(runner), vmadj_runner_why(runner), grab_log_text());
	}
}

static char *policy_path(const char *name)
{
	static char path[PATH_MAX];
	const char *out = getenv("O");

	(void)snprintf(path, sizeof(path), "%s/%s.so", out ? out : "build", name);
	return path;
}

static void start_file(const char *path, const struct vmadj_runner_param *params, size_t n,
		       double deadline_s)
{
	const struct vmadj_runner_options options = {
		.file = path,
		.params = params,
		.n_params = n,
		.deadline_s = deadline_s,
		.restart_s = RESTART_S,
	};

	cr_assert(zero(int, vmadj_runner_new(event, &options, &events, NULL, &runner)));
	cr_assert(eq(int, vmadj_runner_state(runner), VMADJ_RUNNER_STARTING));
}

static void start_hostile(enum hostile how, const char *from, double deadline_s)
{
	char number[16];
	const struct vmadj_runner_param params[] = { { "how", number }, { "from", from } };

	(void)snprintf(number, sizeof(number), "%d", how);
	start_file(policy_path("tests/policies/hostile"), params, 2, deadline_s);
	run_until(&n_ready, 1);
	cr_assert(eq(int, vmadj_runner_state(runner), VMADJ_RUNNER_READY));
}

static void feed(void)
{
	cr_assert(zero(int, vmadj_runner_feed(runner, &sample.snapshot, ++seq)));
	cr_assert(eq(int, vmadj_runner_state(runner), VMADJ_RUNNER_BUSY));
	cr_assert(eq(int, vmadj_runner_feed(runner, &sample.snapshot, seq + 1), -EBUSY));
}

static void assert_why(const char *words)
{
	cr_assert(ne(ptr, strstr(vmadj_runner_why(runner), words), NULL), "\"%s\" is not in \"%s\"",
		  words, vmadj_runner_why(runner));
}

/* --- what goes well ------------------------------------------------------ */

Test(policy_runner, a_good_policy_is_told_and_answers)
{
	const struct vmadj_runner_info *info;

	start_hostile(HOSTILE_NOT, "1", DEADLINE_S);
	info = vmadj_runner_info(runner);
	cr_assert(eq(str, (char *)info->name, "hostile"));
	cr_assert(eq(str, (char *)info->summary, "does what it may not \\x1b[2J"));
	cr_assert(eq(u32, info->knobs, VMADJ_KNOB_CPU));
	cr_assert(eq(sz, info->n_params, 2));
	cr_assert(eq(str, (char *)info->param[1].name, "from"));
	cr_assert(eq(str, (char *)info->param[1].unit, "ticks"));
	cr_assert(epsilon_eq(dbl, info->param[1].max, 1000, 1e-9));
	for (int i = 1; i <= VMADJ_RUNNER_GOOD_TICKS; i++) {
		feed();
		run_until(&n_wishes, i);
		cr_assert(eq(u64, last_seq, seq));
	}
	cr_assert(eq(sz, last_n, SAMPLE_VMS));
	cr_assert(eq(str, wish[1].vm, "200-6000"));
	cr_assert(eq(str, wish[1].reason, "all is well"));
	cr_assert(eq(int, n_failed, 0));
	assert_nothing_is_left();
}

Test(policy_runner, a_snapshot_may_grow)
{
	static struct vmadj_snap_vm many[3000];
	static char ids[3000][32];

	start_hostile(HOSTILE_WHO_AM_I, "1", DEADLINE_S);
	for (int size = 1; size <= 3000; size = size * 10 < 3000 ? size * 10 : size + 2000) {
		for (int i = 0; i < size; i++) {
			many[i] = sample.vms[i % SAMPLE_VMS];
			(void)snprintf(ids[i], sizeof(ids[i]), "%d-1", i);
			many[i].id = ids[i];
		}
		sample.snapshot.vms = many;
		sample.snapshot.n_vms = (size_t)size;
		feed();
		run_until(&n_wishes, n_wishes + 1);
		(void)snprintf(ids[0], sizeof(ids[0]), "vms %d seq", size);
		cr_assert(ne(ptr, strstr(wish[1].reason, ids[0]), NULL), "%s", wish[1].reason);
	}
	assert_nothing_is_left();
}

static char *status_line(const char *key)
{
	static char line[256];
	char path[64];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", vmadj_runner_pid(runner));
	file = fopen(path, "re");
	cr_assert(ne(ptr, file, NULL));
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)) == 0)
			break;
	}
	(void)fclose(file);
	return line + strlen(key);
}

Test(policy_runner, its_process_has_no_rights)
{
	static const char *const sets[] = { "CapInh:", "CapPrm:", "CapEff:", "CapAmb:", "CapBnd:" };
	struct passwd *nobody = getpwnam("nobody");
	unsigned int uid, gid;
	char cwd[64], where[64];
	ssize_t n;

	start_hostile(HOSTILE_WHO_AM_I, "1", DEADLINE_S);
	feed();
	run_until(&n_wishes, 1);
	cr_assert(eq(str, wish[0].reason, "env 0"));
	cr_assert(eq(int, atoi(status_line("NoNewPrivs:")), 1));
	cr_assert(eq(int, atoi(status_line("Seccomp:")), 2));
	cr_assert(eq(int, atoi(status_line("Threads:")), 1));
	(void)snprintf(cwd, sizeof(cwd), "/proc/%d/cwd", vmadj_runner_pid(runner));
	n = readlink(cwd, where, sizeof(where) - 1);
	if (geteuid() != 0)
		cr_skip_test("the rest needs root");
	cr_assert(eq(long, n, 1), "its folder is not /");
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		cr_assert(eq(ulong, strtoul(status_line(sets[i]), NULL, 16), 0), "%s", sets[i]);
	cr_assert(eq(int, sscanf(status_line("Uid:"), "%u", &uid), 1));
	cr_assert(eq(int, sscanf(status_line("Gid:"), "%u", &gid), 1));
	cr_assert(eq(u32, uid, nobody->pw_uid));
	cr_assert(eq(u32, gid, nobody->pw_gid));
	cr_assert(
		eq(ulong, strspn(status_line("Groups:"), " \t\n"), strlen(status_line("Groups:"))));
	assert_nothing_is_left();
}

Test(policy_runner, its_process_has_no_descriptors_but_its_own)
{
	char path[64];
	DIR *dir;
	int n = 0;

	/* The program that starts it has one that would be inherited. */
	cr_assert(gt(int, fcntl(STDERR_FILENO, F_DUPFD, 50), 0));
	fds_before++;
	start_hostile(HOSTILE_NOT, "1", DEADLINE_S);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", vmadj_runner_pid(runner));
	dir = opendir(path);
	if (!dir)
		cr_skip_test("not allowed to look at its descriptors: %s", strerror(errno));
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		n++;
		cr_assert(le(int, atoi(entry->d_name), 4), "descriptor %s", entry->d_name);
	}
	(void)closedir(dir);
	cr_assert(eq(int, n, 2 + 5));
	assert_nothing_is_left();
}

Test(policy_runner, what_it_prints_is_escaped_and_not_too_much)
{
	vmadj_log_set_max_level(LOG_INFO);
	start_hostile(HOSTILE_PRINTS, "1", PATIENCE_S);
	feed();
	run_until(&n_wishes, 1);
	cr_assert(ne(ptr, strstr(grab_log_text(), "policy hostile prints: line 0 \\x1b[2J"), NULL),
		  "%s", grab_log_text());
	cr_assert(ne(ptr, strstr(grab_log_text(), "prints more; not shown"), NULL));
	cr_assert(lt(sz, strlen(grab_log_text()), 8192));
	cr_assert(eq(int, n_failed, 0));
	assert_nothing_is_left();
}

Test(policy_runner, reasons_are_escaped)
{
	start_hostile(HOSTILE_ESCAPES, "1", DEADLINE_S);
	feed();
	run_until(&n_wishes, 1);
	cr_assert(eq(str, wish[0].reason, "a\\x1b[2Jb\\nc"));
	assert_nothing_is_left();
}

Test(policy_runner, a_wish_for_a_stranger_is_passed_on_for_the_guard_to_refuse)
{
	start_hostile(HOSTILE_STRANGER, "1", DEADLINE_S);
	feed();
	run_until(&n_wishes, 1);
	cr_assert(eq(str, wish[0].vm, "1-1"));
	assert_nothing_is_left();
}

Test(policy_runner, it_dies_with_the_daemon)
{
	int pipes[2];
	pid_t daemon, child = 0;
	time_t end = time(NULL) + PATIENCE_S;

	/* Orphans come to this process, so that it can wait for it. */
	cr_assert(zero(int, prctl(PR_SET_CHILD_SUBREAPER, 1)));
	cr_assert(zero(int, pipe(pipes)));
	daemon = fork();
	if (daemon == 0) {
		sd_event *its_event;

		(void)sd_event_new(&its_event);
		(void)sd_event_unref(event);
		event = its_event;
		start_hostile(HOSTILE_NOT, "1", DEADLINE_S);
		child = vmadj_runner_pid(runner);
		(void)!write(pipes[1], &child, sizeof(child));
		(void)raise(SIGKILL);
	}
	cr_assert(eq(long, read(pipes[0], &child, sizeof(child)), sizeof(child)));
	cr_assert(eq(int, waitpid(daemon, NULL, 0), daemon));
	while (waitpid(child, NULL, WNOHANG) != child) {
		cr_assert(lt(long, time(NULL), end), "it lives on");
		(void)usleep(10000);
	}
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	assert_nothing_is_left();
}

/* --- wishes that are refused, while the policy goes on ------------------- */

struct refused {
	enum hostile how;
	char why[80];
};

ParameterizedTestParameters(policy_runner, wishes_that_are_refused)
{
	static struct refused cases[] = {
		{ HOSTILE_MANY, "too many wishes: 1000000, at most 4096" },
		{ HOSTILE_NAN, "a wish for the CPU share without a finite value" },
		{ HOSTILE_INFINITE, "a wish for the CPU share without a finite value" },
		{ HOSTILE_UNDECLARED, "a wish for memory, which it has not declared" },
		{ HOSTILE_NO_KNOB, "a wish for a knob that does not exist" },
		{ HOSTILE_UNTERMINATED, "a wish has a text without an end" },
	};

	return cr_make_param_array(struct refused, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct refused *c, policy_runner, wishes_that_are_refused)
{
	start_hostile(c->how, "2", DEADLINE_S);
	feed();
	run_until(&n_wishes, 1);
	feed();
	run_until(&n_refused, 1);
	cr_assert(ne(ptr, strstr(refused_why, c->why), NULL), "%s", refused_why);
	cr_assert(eq(int, vmadj_runner_state(runner), VMADJ_RUNNER_READY));
	feed();
	run_until(&n_refused, 2);
	cr_assert(eq(int, n_wishes, 1));
	cr_assert(eq(int, n_failed, 0));
	assert_nothing_is_left();
}

/* --- what ends it ------------------------------------------------------- */

struct ended {
	enum hostile how;
	char why[64];
	bool slow;
};

ParameterizedTestParameters(policy_runner, what_ends_it)
{
	static struct ended cases[] = {
		{ HOSTILE_CRASH, "crashed: SIGSEGV", false },
		{ HOSTILE_ABORT, "crashed: SIGABRT", false },
		{ HOSTILE_EXIT, "ended by itself with exit status 7", false },
		{ HOSTILE_STACK, "crashed: SIGSEGV", false },
		{ HOSTILE_LOOP, "did not answer within 0.3 s", true },
		{ HOSTILE_OPEN, "made the system call openat", false },
		{ HOSTILE_SOCKET, "made the system call socket", false },
		{ HOSTILE_FORK, "made the system call clone", false },
		{ HOSTILE_THREAD, "made the system call clone3", false },
		{ HOSTILE_EXEC, "made the system call execve", false },
		{ HOSTILE_KILL, "made the system call kill", false },
		{ HOSTILE_RAISE, "made the system call tgkill", false },
		{ HOSTILE_PTRACE, "made the system call ptrace", false },
		{ HOSTILE_SIGACTION, "made the system call rt_sigaction", false },
		{ HOSTILE_MAP_CODE, "made the system call mmap", false },
		{ HOSTILE_WRITE_SNAPSHOT, "crashed: SIGSEGV", false },
		{ HOSTILE_TWICE, "answered what it was not asked", false },
		{ HOSTILE_WRONG_SEQ, "answered what it was not asked", false },
		{ HOSTILE_GARBAGE, "sent a message that its process never sends", false },
		{ HOSTILE_READY_AGAIN, "said of itself what cannot be", false },
	};

	return cr_make_param_array(struct ended, cases, sizeof(cases) / sizeof(cases[0]));
}

/* It is fine once, fails, comes back, fails, ... and is given up. */
ParameterizedTest(struct ended *c, policy_runner, what_ends_it, .timeout = 240)
{
	start_hostile(c->how, "2", c->slow ? SHORT_S : DEADLINE_S);
	for (int i = 1; i <= VMADJ_RUNNER_FAILURES_MAX; i++) {
		pid_t pid = vmadj_runner_pid(runner);
		int answered = n_wishes;

		feed();
		run_until(&n_wishes, answered + 1);
		/* The second answer of HOSTILE_TWICE may be there already. */
		(void)vmadj_runner_feed(runner, &sample.snapshot, ++seq);
		run_until(&n_failed, i);
		assert_why(c->why);
		cr_assert(eq(int, vmadj_runner_pid(runner), 0));
		cr_assert(eq(int, kill(pid, 0), -1), "its process lives");
		cr_assert(eq(int, vmadj_runner_feed(runner, &sample.snapshot, ++seq), -EBUSY));
		if (i == VMADJ_RUNNER_FAILURES_MAX)
			break;
		cr_assert(eq(int, vmadj_runner_state(runner), VMADJ_RUNNER_WAITING));
		run_until(&n_ready, i + 1);
	}
	cr_assert(eq(int, vmadj_runner_state(runner), VMADJ_RUNNER_DISABLED));
	cr_assert(ne(ptr, strstr(grab_log_text(), "it is started again in 0.01 s"), NULL));
	cr_assert(ne(ptr, strstr(grab_log_text(), "it is started again in 0.08 s"), NULL));
	cr_assert(ne(ptr, strstr(grab_log_text(), "is disabled until it is loaded anew"), NULL));
	assert_nothing_is_left();
}

Test(policy_runner, memory_has_a_limit)
{
	if (WITH_ASAN)
		cr_skip_test("no limit of address space goes together with ASan");
	start_hostile(HOSTILE_MEMORY, "1", PATIENCE_S);
	feed();
	run_until(&n_failed, 1);
	assert_why("ran out of memory, its limit is 64 MiB");
	assert_nothing_is_left();
}

Test(policy_runner, the_snapshot_cannot_be_made_writable)
{
	start_hostile(HOSTILE_REMAP_SNAPSHOT, "1", DEADLINE_S);
	feed();
	run_until(&n_wishes, 1);
	cr_assert(eq(str, wish[0].reason, "mprotect failed"));
	assert_nothing_is_left();
}

Test(policy_runner, good_ticks_make_failures_forgotten)
{
	char from[16];
	char how[16];
	const struct vmadj_runner_param params[] = { { "how", how }, { "from", from } };

	(void)snprintf(how, sizeof(how), "%d", HOSTILE_CRASH);
	(void)snprintf(from, sizeof(from), "%d", VMADJ_RUNNER_GOOD_TICKS + 1);
	start_file(policy_path("tests/policies/hostile"), params, 2, DEADLINE_S);
	for (int failure = 1; failure <= VMADJ_RUNNER_FAILURES_MAX + 1; failure++) {
		run_until(&n_ready, failure);
		while (n_failed < failure) {
			int events_before = n_wishes + n_failed;

			feed();
			while (n_wishes + n_failed == events_before)
				cr_assert(ge(int, sd_event_run(event, 100000), 0));
		}
		cr_assert(eq(int, vmadj_runner_state(runner), VMADJ_RUNNER_WAITING));
	}
	assert_nothing_is_left();
}

/* --- what cannot be loaded ----------------------------------------------- */

struct unusable {
	char name[48];
	char why[64];
	bool comes_back; /* it might be better next time */
};

ParameterizedTestParameters(policy_runner, what_cannot_be_loaded)
{
	static struct unusable cases[] = {
		{ "tests/policies/no_symbol", "it exports no vmadj_policy", false },
		{ "tests/policies/wrong_abi", "another version of policy.h", false },
		{ "tests/policies/no-such-policy", "No such file", false },
		{ "tests/policies/load_crash", "crashed: SIGSEGV", true },
		{ "tests/policies/load_socket", "made the system call socket", true },
		{ "tests/policies/load_write", "made the system call openat", true },
	};

	return cr_make_param_array(struct unusable, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct unusable *c, policy_runner, what_cannot_be_loaded)
{
	start_file(policy_path(c->name), NULL, 0, DEADLINE_S);
	run_until(&n_failed, 1);
	assert_why(c->why);
	cr_assert(eq(int, n_ready, 0));
	cr_assert(eq(int, vmadj_runner_state(runner),
		     c->comes_back ? VMADJ_RUNNER_WAITING : VMADJ_RUNNER_DISABLED));
	assert_nothing_is_left();
}

Test(policy_runner, loading_has_an_end)
{
	start_file(policy_path("tests/policies/load_loop"), NULL, 0, 0.1);
	run_until(&n_failed, 1);
	assert_why("was not loaded within 2 s");
	assert_nothing_is_left();
}

Test(policy_runner, all_wrong_parameters_are_named)
{
	static const struct vmadj_runner_param params[] = { { "from", "0" },
							    { "how", "1.5" },
							    { "colour", "red" } };

	start_file(policy_path("tests/policies/hostile"), params, 3, DEADLINE_S);
	run_until(&n_failed, 1);
	cr_assert(eq(int, vmadj_runner_state(runner), VMADJ_RUNNER_DISABLED));
	assert_why("from: 0 is not within 1..1000");
	assert_why("how: \"1.5\" is no whole number");
	assert_why("colour: there is no such parameter");
	assert_nothing_is_left();
}

Test(policy_runner, what_is_no_shared_object_is_not_loaded)
{
	char dir[] = "/tmp/vmadj-runner.XXXXXX";
	char path[64];
	FILE *file;

	cr_assert(ne(ptr, mkdtemp(dir), NULL));
	(void)snprintf(path, sizeof(path), "%s/text.so", dir);
	file = fopen(path, "we");
	cr_assert(ne(ptr, file, NULL));
	(void)fputs("no ELF file, though it is as long as the head of one is, and then some more\n",
		    file);
	(void)fchmod(fileno(file), 0644);
	(void)fclose(file);
	start_file(path, NULL, 0, DEADLINE_S);
	run_until(&n_failed, 1);
	(void)unlink(path);
	(void)rmdir(dir);
	assert_why("it cannot be loaded");
	cr_assert(eq(int, vmadj_runner_state(runner), VMADJ_RUNNER_DISABLED));
	assert_nothing_is_left();
}

Test(policy_runner, a_user_that_does_not_exist_or_is_root_is_refused)
{
	static const char *const users[] = { "no-such-user", "root" };

	if (geteuid() != 0)
		cr_skip_test("needs root: else the user is not changed");
	for (int i = 0; i < 2; i++) {
		const struct vmadj_runner_options options = {
			.file = policy_path("tests/policies/hostile"),
			.user = users[i],
		};

		cr_assert(zero(int, vmadj_runner_new(event, &options, &events, NULL, &runner)));
		run_until(&n_failed, i + 1);
		assert_why(users[i]);
		cr_assert(eq(int, vmadj_runner_state(runner), VMADJ_RUNNER_DISABLED));
		vmadj_runner_free(runner);
		runner = NULL;
	}
	assert_nothing_is_left();
}

Test(policy_runner, it_can_be_freed_at_any_time)
{
	start_file(policy_path("tests/policies/hostile"), NULL, 0, DEADLINE_S);
	vmadj_runner_free(runner);
	start_file(policy_path("tests/policies/hostile"), NULL, 0, DEADLINE_S);
	(void)sd_event_run(event, 1000000);
	vmadj_runner_free(runner);
	runner = NULL;
	start_hostile(HOSTILE_LOOP, "1", DEADLINE_S);
	feed();
	assert_nothing_is_left();
}

/* --- the policies of this tree ------------------------------------------- */

/* A VM that the daemon manages; the load of the CPUs in per cent. */
static void manage(struct vmadj_snap_vm *vm, int nice)
{
	vm->knobs = (struct vmadj_snap_knobs){
		.known = true,
		.managed = true,
		.nice_min = -20,
		.nice_max = 19,
		.mem_min_bytes = UINT64_MAX,
		.mem_max_bytes = UINT64_MAX,
		.cpu = { .kind = "autogroup", .nice = nice, .effective = true },
	};
}

static void set_load(double pct)
{
	sample.snapshot.host.load15 = pct / 100 * sample.snapshot.host.cpus;
}

static void start_trial(const char *name)
{
	const struct vmadj_runner_options options = {
		.file = policy_path(name),
		.deadline_s = DEADLINE_S,
		.trial = true, /* the snapshots' clock */
	};

	cr_assert(zero(int, vmadj_runner_new(event, &options, &events, NULL, &runner)));
	run_until(&n_ready, 1);
}

/* A minute later; what was wished is carried out. Return: how many wishes. */
static int minute(void)
{
	int n = 0;

	sample.snapshot.time_unix_s += 60;
	feed();
	run_until(&n_wishes, n_wishes + 1);
	for (size_t i = 0; i < last_n; i++) {
		if (wish[i].knob != VMADJ_KNOB_CPU)
			continue;
		n++;
		for (int k = 0; k < SAMPLE_VMS; k++) {
			if (strcmp(sample.vms[k].id, wish[i].vm) == 0)
				sample.vms[k].knobs.cpu.nice = (int)wish[i].value;
		}
	}
	return n;
}

Test(policy_runner, the_papers_policy_raises_to_15_and_lowers_to_minus_15)
{
	const int *nice = &sample.vms[0].knobs.cpu.nice;

	manage(&sample.vms[0], 0);
	set_load(95);
	start_trial("tests/policies/p1_paper");
	for (int i = 1; i <= 15; i++) {
		cr_assert(eq(int, minute(), 1));
		cr_assert(eq(int, *nice, i));
	}
	cr_assert(eq(str, wish[0].reason,
		     "load 25/13/95 % of the CPUs over 1/5/15 minutes; nice 14 -> 15"));
	cr_assert(eq(int, minute(), 0), "it goes on beyond 15");
	set_load(50);
	cr_assert(eq(int, minute(), 0));
	set_load(5);
	for (int i = 14; i >= -15; i--) {
		cr_assert(eq(int, minute(), 1));
		cr_assert(eq(int, *nice, i));
	}
	cr_assert(eq(int, minute(), 0), "it goes on beyond -15");
	/* Without VMs its text ends; with one it begins anew. */
	sample.vms[0].knobs.managed = false;
	cr_assert(eq(int, minute(), 0));
	sample.vms[0].knobs.managed = true;
	set_load(95);
	cr_assert(eq(int, minute(), 1));
	cr_assert(eq(int, *nice, -14));
	assert_nothing_is_left();
}

Test(policy_runner, the_papers_policy_keeps_its_interval)
{
	manage(&sample.vms[0], 0);
	set_load(95);
	start_trial("tests/policies/p1_paper");
	for (int s = 0, wished = 0; s <= 180; s++) {
		sample.snapshot.time_unix_s += 1;
		feed();
		run_until(&n_wishes, n_wishes + 1);
		wished += last_n > 0;
		cr_assert(eq(int, wished, 1 + s / 60), "after %d s", s);
	}
	assert_nothing_is_left();
}

Test(policy_runner, loadavg_nice_goes_on_to_the_next_vm)
{
	manage(&sample.vms[0], 14);
	manage(&sample.vms[1], 0);
	sample.vms[0].knobs.priority = 5; /* more than its nice value costs */
	set_load(95);
	start_trial("policies/loadavg_nice");
	for (int i = 1; i <= 15; i++) {
		cr_assert(eq(int, minute(), 1));
		cr_assert(eq(int, sample.vms[1].knobs.cpu.nice, i));
	}
	cr_assert(eq(int, minute(), 1));
	cr_assert(eq(int, sample.vms[0].knobs.cpu.nice, 15));
	cr_assert(ne(ptr, strstr(wish[0].reason, "nice 14 -> 15"), NULL), "%s", wish[0].reason);
	cr_assert(eq(int, minute(), 0));
	cr_assert(eq(sz, last_n, 2));
	cr_assert(ne(ptr, strstr(wish[0].reason, "nice 15 is at its bound"), NULL), "%s",
		  wish[0].reason);
	set_load(50);
	cr_assert(eq(int, minute(), 0));
	cr_assert(ne(ptr, strstr(wish[1].reason, "load 50 % of the CPUs over 15 minutes is within"),
		     NULL),
		  "%s", wish[1].reason);
	/* Down again: the one with the highest priority first. */
	set_load(5);
	cr_assert(eq(int, minute(), 1));
	cr_assert(eq(int, sample.vms[0].knobs.cpu.nice, 14));
	assert_nothing_is_left();
}
