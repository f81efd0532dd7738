// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvmvm.c - one tiny KVM guest, in a process of its own, that does what it is told
 *
 * Tests need VMs whose truth is known, by the hundred, within milliseconds.
 * A guest here is two pages of real-mode code (kvmvm_guest.h); its VMM says on
 * stdout which thread is which vCPU, and reads commands on stdin, each answered
 * by one line "ok ..." or "error ...". End of file on stdin ends it, so that
 * no guest outlives its test.
 *
 * Threads: main reads commands; one thread a vCPU; "emulator" burns, if wanted.
 */
#include <getopt.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/time.h>

#include "kvmvm_io.h"
#include "kvmvm_vm.h"

#define LINE_MAX_BYTES 4096
#define ARGS_MAX       5

static int parse_uint(const char *s, unsigned long max, unsigned long *ret_n)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(s, &end, 10);
	if (errno || end == s || *end || *s == '-' || n > max)
		return -EINVAL;
	*ret_n = n;
	return 0;
}

static void *emulator_thread(void *arg)
{
	*(atomic_int *)arg = (int)syscall(SYS_gettid);
	for (;;)
		burn_ns(NSEC_SEC);
	return NULL;
}

static void emulator_start(void)
{
	static atomic_int tid;
	pthread_t thread;

	errno = -thread_start(&thread, emulator_thread, &tid);
	if (errno)
		die("emulator thread");
	while (!tid)
		sched_yield();
	printf("emulator tid %d\n", tid);
}

static int cmd_hotplug(struct vm *vm, char **args)
{
	int err = vm->fd < 0 ? -ENODEV : vm_add_vcpu(vm);

	(void)args;
	if (!err)
		printf("ok vcpu %u tid %d\n", vm->nr_vcpus - 1, vm->vcpus[vm->nr_vcpus - 1].tid);
	return err;
}

static int cmd_rename(struct vm *vm, char **args)
{
	static const char *const odd[] = { "a b) R 1 (", "CPU 7/KVM", "", "worker\n", "\xff\xfe" };

	(void)args;
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		pthread_setname_np(vm->vcpus[i].thread, odd[i % 5]);
	(void)prctl(PR_SET_NAME, "not a vm");
	puts("ok");
	return 0;
}

static int cmd_destroy(struct vm *vm, char **args)
{
	(void)args;
	if (vm->fd < 0)
		return -ENODEV;
	vm_destroy(vm);
	puts("ok");
	return 0;
}

/* "exec PATH [keep-fds]": another program takes over the process, with or without the VM */
static int cmd_exec(struct vm *vm, char **args)
{
	char *const argv[] = { args[0], NULL };

	if (!args[0] || access(args[0], X_OK))
		return -ENOENT;
	if (args[1]) {
		(void)fcntl(vm->kvm_fd, F_SETFD, 0);
		(void)fcntl(vm->fd, F_SETFD, 0);
		for (unsigned int i = 0; i < vm->nr_vcpus; i++)
			(void)fcntl(vm->vcpus[i].fd, F_SETFD, 0);
	}
	puts("ok");
	execv(args[0], argv);
	die("%s", args[0]);
}

static int cmd_io(struct vm *vm, char **args)
{
	struct io_truth truth = { 0 };
	unsigned long pages;
	int err;

	(void)vm;
	if (!args[0] || !args[1] || !args[2])
		return -EINVAL;
	err = parse_uint(args[2], IO_PAGES_MAX, &pages);
	if (!err)
		err = io_run(args[0], args[1], pages, &truth);
	if (!err) {
		printf("ok accessed %lu absent %lu added %lu\n", truth.accessed, truth.absent,
		       truth.added);
	}
	return err;
}

struct io_call {
	char **args;
	int err;
};

static void *io_thread(void *arg)
{
	struct io_call *call = arg;

	call->err = cmd_io(NULL, call->args);
	return NULL;
}

/* the same from a thread that did not exist before: a VMM's worker */
static int cmd_io_worker(struct vm *vm, char **args)
{
	struct io_call call = { .args = args };
	pthread_t thread;
	int err = thread_start(&thread, io_thread, &call);

	(void)vm;
	if (err)
		return err;
	pthread_join(thread, NULL);
	return call.err;
}

static const struct command {
	const char *name;
	int (*run)(struct vm *vm, char **args);
	const char *help;
} commands[] = {
	{ "hotplug", cmd_hotplug, "add a vCPU" },
	{ "rename", cmd_rename, "give the threads names that no parser expects" },
	{ "destroy", cmd_destroy, "close the VM; its threads live on, asleep" },
	{ "exec", cmd_exec, "PATH [keep-fds]: become that program" },
	{ "io", cmd_io, "PATTERN FILE PAGES: access a file (kvmvm_io.h)" },
	{ "io-worker", cmd_io_worker, "the same, from a thread of its own" },
};

static void command_run(struct vm *vm, char *line)
{
	char *args[ARGS_MAX + 1] = { NULL };
	int err = -EINVAL;

	for (int i = 0; i < ARGS_MAX; i++)
		args[i] = strtok(i ? NULL : line, " \n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (args[0] && !strcmp(args[0], commands[i].name))
			err = commands[i].run(vm, args + 1);
	}
	if (err)
		printf("error %s\n", strerror(-err));
}

static __attribute__((noreturn)) void usage(void)
{
	fputs("usage: kvmvm [--name N] [--vcpus N] [--load L] [--cpu N] [--emulator-busy]\n"
	      "             [--thread-names] [--lifetime MS]\nloads:\n",
	      stdout);
	for (size_t i = 0; i < LAB_LOADS; i++) {
		printf("  %s%s: %s\n", lab_loads[i].name, lab_loads[i].timed ? ":MS" : "",
		       lab_loads[i].help);
	}
	puts("commands on stdin:");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		printf("  %s: %s\n", commands[i].name, commands[i].help);
	exit(EXIT_SUCCESS);
}

static int parse_load(const char *s, struct vm *vm)
{
	size_t len = strcspn(s, ":");
	unsigned long ms = 0;

	for (size_t i = 0; i < LAB_LOADS; i++) {
		if (strncmp(lab_loads[i].name, s, len) != 0 || lab_loads[i].name[len])
			continue;
		if (lab_loads[i].timed != (s[len] == ':'))
			return -EINVAL;
		if (s[len] && (parse_uint(s + len + 1, 1000, &ms) || !ms))
			return -EINVAL;
		vm->load = &lab_loads[i];
		vm->period_ms = (unsigned int)ms;
		return 0;
	}
	return -EINVAL;
}

struct options {
	unsigned long vcpus, cpu, lifetime_ms;
	int emulator_busy;
};

static void parse_options(int argc, char **argv, struct vm *vm, struct options *opt)
{
	static const struct option table[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "vcpus", required_argument, NULL, 'v' },
		{ "load", required_argument, NULL, 'l' },
		{ "cpu", required_argument, NULL, 'c' },
		{ "emulator-busy", no_argument, NULL, 'e' },
		{ "thread-names", no_argument, NULL, 't' },
		{ "lifetime", required_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, err = 0;

	while (!err && (c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'v') {
			err = parse_uint(optarg, VCPUS_MAX, &opt->vcpus);
		} else if (c == 'l') {
			err = parse_load(optarg, vm);
		} else if (c == 'c') {
			err = parse_uint(optarg, CPU_SETSIZE - 1, &opt->cpu);
		} else if (c == 'm') {
			err = parse_uint(optarg, 86400000, &opt->lifetime_ms);
		} else if (c == 'e') {
			opt->emulator_busy = 1;
		} else if (c == 't') {
			vm->thread_names = true;
		} else if (c == 'h') {
			usage();
		} else if (c != 'n') { /* a name is there to be read on the command line */
			err = -EINVAL;
		}
	}
	if (err || optind != argc) {
		fprintf(stderr, "kvmvm: %s: not understood, see --help\n", argv[optind - 1]);
		exit(2);
	}
}

/* SIGALRM is not caught: it ends the process, as a VM that is killed */
static void set_lifetime(unsigned long ms)
{
	const struct itimerval at = { .it_value = { (time_t)(ms / 1000),
						    (suseconds_t)(ms % 1000 * 1000) } };

	if (ms && setitimer(ITIMER_REAL, &at, NULL))
		die("--lifetime");
}

int main(int argc, char **argv)
{
	static struct vm vm = { .load = &lab_loads[0], .cpu = -1, .fd = -1 };
	const struct sigaction kick = { .sa_handler = on_kick };
	struct options opt = { .vcpus = 1, .cpu = CPU_SETSIZE };
	char line[LINE_MAX_BYTES];

	parse_options(argc, argv, &vm, &opt);
	vm.cpu = opt.cpu < CPU_SETSIZE ? (int)opt.cpu : -1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGUSR1, &kick, NULL);
	set_lifetime(opt.lifetime_ms);
	vm_create(&vm);
	while (vm.nr_vcpus < opt.vcpus) {
		errno = -vm_add_vcpu(&vm);
		if (errno)
			die("vCPU %u", vm.nr_vcpus);
		printf("vcpu %u tid %d\n", vm.nr_vcpus - 1, vm.vcpus[vm.nr_vcpus - 1].tid);
	}
	if (opt.emulator_busy)
		emulator_start();
	puts("ready");
	while (fgets(line, sizeof(line), stdin))
		command_run(&vm, line);
	return 0;
}
