// SPDX-License-Identifier: GPL-2.0-only
/*
 * shares.c - the CPU shares that nice values give, against the kernel's table of weights
 *
 * Two busy VMs on one CPU, of which one is turned, by each kind of level that can be made here. The
 * truth is the kernel's own count of what the VMs' threads ran. Others may want that CPU too:
 * they take from both, so only the two VMs' parts of their sum are judged. What is judged is
 * how far each of the two parts is off, in per cent of what it should be.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/bench/daemon/daemon.h"
#include "user/actuate/cpu.h"
#include "user/util/process.h"
#include "user/virt/libvirt.h"
#include "user/vm/identity.h"

#define RUNS	  3 /* of each nice value; their median counts */
#define SETTLE_MS 500
#define RUN_MS	  5000
#define LONG_MS	  14000 /* the small part is made of whole time slices of some ms: enough of them */
#define ANSWER_MS 20000
#define STEP_US	  50000
#define BAR_PCT	  5
#define PAIR	  2
#define WHAT_MAX  128

static const int nices[] = { -10, -5, 5, 10, 19 };

struct pair {
	struct vmadj_lab_vm *vm[PAIR];
	char group[PAIR][128]; /* "": none */
	struct vmadj_identity who;
	struct vmadj_target target; /* of the first VM, which is turned */
	struct vmadj_libvirt *libvirt;
	struct vmadj_cpu *cpu;
	sd_event *event;
	struct vmadj_cpu_place place;
	int err; /* -EINPROGRESS: who was asked has not answered */
};

struct shares {
	struct vmadj_bench_series off_pct, off_points;
};

static void pair_end(struct pair *pair)
{
	vmadj_cpu_free(pair->cpu);
	vmadj_libvirt_free(pair->libvirt);
	(void)sd_event_unref(pair->event);
	vmadj_identity_clear(&pair->who);
	for (int i = 0; i < PAIR; i++) {
		vmadj_lab_vm_stop(pair->vm[i]);
		/* A process that was killed leaves its group a moment later. */
		for (int k = 0; pair->group[i][0] && rmdir(pair->group[i]) && k < 100; k++)
			(void)usleep(10000);
	}
}

/* --- the kinds ---------------------------------------------------------- */

static int start_kvm(struct vmadj_bench *bench, struct vmadj_lab_kvm want, struct pair *pair)
{
	int err = 0;

	want.load = "busy";
	want.pinned = true;
	want.cpu = bench->cpu;
	for (int i = 0; i < PAIR && !err; i++) {
		want.cgroup = pair->group[i][0] ? pair->group[i] : NULL;
		err = vmadj_lab_kvm_start(&want, &pair->vm[i]);
	}
	return err ? vmadj_bench_fail(bench, err, "%s", vmadj_lab_why()) : 0;
}

static int start_sessions(struct vmadj_bench *bench, struct pair *pair)
{
	return start_kvm(bench, (struct vmadj_lab_kvm){ .own_session = true }, pair);
}

static int start_threads(struct vmadj_bench *bench, struct pair *pair)
{
	return start_kvm(bench, (struct vmadj_lab_kvm){ 0 }, pair);
}

/* Version 1 where its cpu hierarchy is mounted, else version 2. */
static int start_groups(struct vmadj_bench *bench, struct pair *pair)
{
	const char *parent = "/sys/fs/cgroup/cpu";

	if (access(parent, F_OK))
		parent = "/sys/fs/cgroup";
	for (int i = 0; i < PAIR; i++) {
		(void)snprintf(pair->group[i], sizeof(pair->group[i]), "%s/vmadj-bench-%d-%d",
			       parent, (int)getpid(), i);
		if (mkdir(pair->group[i], 0755)) {
			int err = -errno;

			(void)vmadj_bench_fail(bench, err, "%s: %s", pair->group[i],
					       strerror(errno));
			pair->group[i][0] = '\0';
			return err;
		}
	}
	return start_kvm(bench, (struct vmadj_lab_kvm){ 0 }, pair);
}

static int start_libvirt(struct vmadj_bench *bench, struct pair *pair)
{
	const struct vmadj_lab_linux want = { .load = "busy", .pinned = true, .cpu = bench->cpu };
	static char program[512];
	int err = vmadj_bench_output("vmadjust-bpf", program, sizeof(program));

	/* It is the helper that talks to libvirt. */
	vmadj_libvirt_set_program(program);
	for (int i = 0; i < PAIR && !err; i++)
		err = vmadj_lab_libvirt_start(&want, &pair->vm[i]);
	return err ? vmadj_bench_fail(bench, err, "%s", vmadj_lab_why()) : 0;
}

static const struct kind {
	const char *what;
	int (*start)(struct vmadj_bench *bench, struct pair *pair);
	enum vmadj_cpu_kind kind; /* VMADJ_CPU_NONE: a group of either version */
	const char *owner;
} kinds[] = {
	{ "autogroup", start_sessions, VMADJ_CPU_AUTOGROUP, NULL },
	{ "group, by file", start_groups, VMADJ_CPU_NONE, NULL },
	{ "thread nice", start_threads, VMADJ_CPU_THREADS, NULL },
	{ "group, through libvirt", start_libvirt, VMADJ_CPU_NONE, "libvirt" },
};

/* --- turning ------------------------------------------------------------ */

static int open_knob(struct vmadj_bench *bench, const struct kind *kind, struct pair *pair)
{
	const struct vmadj_cpu_place *place = &pair->place;
	pid_t pid = vmadj_lab_vm_pid(pair->vm[0]);
	bool is_group;
	int err = vmadj_identity_read(pid, NULL, &pair->who);

	pair->target = (struct vmadj_target){ .pid = pid,
					      .uuid = pair->who.uuid,
					      .manager = pair->who.manager };
	if (!err)
		err = vmadj_process_start(pid, &pair->target.start_ticks);
	if (!err)
		err = sd_event_new(&pair->event);
	if (err >= 0)
		err = vmadj_libvirt_new(pair->event, NULL, &pair->libvirt);
	if (!err)
		err = vmadj_cpu_new(pair->event, pair->libvirt, NULL, &pair->cpu);
	if (!err)
		err = vmadj_cpu_find(pair->cpu, &pair->target, &pair->place);
	if (err)
		return err;
	is_group = place->kind == VMADJ_CPU_CGROUP1 || place->kind == VMADJ_CPU_CGROUP2;
	if (place->effective && (kind->kind == place->kind || (!kind->kind && is_group)) &&
	    (kind->owner != NULL) == (place->owner != NULL))
		return 0;
	return vmadj_bench_fail(bench, -EOPNOTSUPP, "VMs like these compete by %s here%s%s",
				vmadj_cpu_kind_name(place->kind), place->why_not ? ": " : "",
				place->why_not ? place->why_not : "");
}

static void on_done(void *userdata, int err, const char *why)
{
	struct pair *pair = userdata;

	(void)why;
	pair->err = err;
}

/* The event loop goes on all the time: deadlines count from its last turn. */
static int serve(struct pair *pair, unsigned int ms, bool until_answered)
{
	uint64_t end_ns = vmadj_bench_now_ns() + ms * 1000000ULL;
	int err = 0;

	while (!err && vmadj_bench_now_ns() < end_ns &&
	       !(until_answered && pair->err != -EINPROGRESS)) {
		err = sd_event_run(pair->event, STEP_US);
		err = err < 0 ? err : vmadj_bench_sleep_ms(0);
	}
	return err;
}

static int turn(struct vmadj_bench *bench, struct pair *pair, int nice)
{
	struct vmadj_cpu_place now = pair->place;
	int err;

	pair->err = vmadj_cpu_set(pair->cpu, &pair->target, &pair->place, nice, on_done, pair);
	err = serve(pair, ANSWER_MS, true);
	if (!err)
		err = pair->err;
	if (!err)
		err = vmadj_cpu_read(pair->cpu, &pair->target, &now);
	if (!err && now.nice != nice)
		err = -EIO;
	return err ? vmadj_bench_fail(bench, err, "%s nice %d: %s",
				      vmadj_cpu_kind_name(pair->place.kind), nice,
				      vmadj_cpu_why(pair->cpu))
		   : 0;
}

/* --- measuring ---------------------------------------------------------- */

/* All threads of a VM share what it gets. */
static int read_run_s(const struct pair *pair, double ret_s[PAIR])
{
	for (int i = 0; i < PAIR; i++) {
		struct timespec run;
		clockid_t clock;

		if (clock_getcpuclockid(vmadj_lab_vm_pid(pair->vm[i]), &clock) ||
		    clock_gettime(clock, &run))
			return -ESRCH;
		ret_s[i] = (double)run.tv_sec + (double)run.tv_nsec / 1e9;
	}
	return 0;
}

/* The first VM's part of what both ran. */
static int measure_pct(struct pair *pair, unsigned int ms, double *ret_pct)
{
	double from[PAIR], to[PAIR], first, second;
	int err = read_run_s(pair, from);

	if (!err)
		err = serve(pair, ms, false);
	if (!err)
		err = read_run_s(pair, to);
	if (err)
		return err;
	first = to[0] - from[0];
	second = to[1] - from[1];
	*ret_pct = 100 * first / (first + second);
	return 0;
}

static int measure_nice(struct vmadj_bench *bench, struct pair *pair, int nice,
			struct shares *shares)
{
	double weight = vmadj_nice_to_weight(nice), should, is = 0;
	struct vmadj_bench_series runs = { 0 };
	int err = turn(bench, pair, nice);

	should = 100 * weight / (weight + vmadj_nice_to_weight(0));
	if (!err)
		err = serve(pair, SETTLE_MS, false);
	for (int i = 0; i < RUNS && !err; i++) {
		err = measure_pct(pair, nice == 19 ? LONG_MS : RUN_MS, &is);
		vmadj_bench_series_add(&runs, is);
	}
	if (err)
		return err;
	is = vmadj_bench_series_at(&runs, 0.5);
	vmadj_bench_series_add(&shares->off_points, fabs(is - should));
	vmadj_bench_series_add(&shares->off_pct, 100 * fabs(is - should) / should);
	vmadj_bench_series_add(&shares->off_pct, 100 * fabs(is - should) / (100 - should));
	return 0;
}

static int report(struct vmadj_bench *bench, const struct kind *kind, const struct pair *pair,
		  const struct shares *shares)
{
	static const struct vmadj_bench_row points = {
		.what = "  the same in points of the CPU",
		.unit = "points",
		.worst = true,
	};
	char what[WHAT_MAX];
	const struct vmadj_bench_row row = {
		.what = what,
		.unit = "%",
		.sense = VMADJ_BENCH_AT_MOST,
		.bar = BAR_PCT,
		.worst = true,
	};
	int err;

	(void)snprintf(what, sizeof(what), "%s (%s): either VM's share, off by", kind->what,
		       vmadj_cpu_kind_name(pair->place.kind));
	err = vmadj_bench_report_add(bench->report, &row, &shares->off_pct);
	return err ? err : vmadj_bench_report_add(bench->report, &points, &shares->off_points);
}

static int measure_kind(struct vmadj_bench *bench, const struct kind *kind)
{
	struct shares shares = { 0 };
	struct pair pair = { 0 };
	int err = kind->start(bench, &pair);

	if (!err)
		err = open_knob(bench, kind, &pair);
	for (size_t i = 0; i < sizeof(nices) / sizeof(nices[0]) && !err; i++)
		err = measure_nice(bench, &pair, nices[i], &shares);
	if (!err)
		err = report(bench, kind, &pair, &shares);
	pair_end(&pair);
	return err;
}

/* One that cannot be made here does not keep the others from being measured. */
int vmadj_bench_daemon_shares(struct vmadj_bench *bench)
{
	char what[WHAT_MAX];
	int err = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !err; i++) {
		bench->why[0] = '\0';
		err = measure_kind(bench, &kinds[i]);
		if (!err || err == -EINTR)
			continue;
		(void)snprintf(what, sizeof(what), "%s: either VM's share", kinds[i].what);
		err = vmadj_bench_report_lack(bench->report, what,
					      bench->why[0] ? bench->why : strerror(-err));
	}
	return err;
}
