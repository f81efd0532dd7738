// SPDX-License-Identifier: GPL-2.0-only
/*
 * parts.c - the two parts of the experiment: who competes for the CPU, and what the policy is told
 *
 * The policy is the paper's (policies/loadavg_nice.c) in the daemon as anybody would run it. It
 * looks at the load of 15 minutes, which does not move within a benchmark: so its limits are set
 * to where that load always is on the one side or always on the other, and its steps are large.
 *
 * A: the load is "low": the VM's nice value goes down to its bound. So it was in the paper, with
 *    one guest. What competes is one process of the host.
 * B: the load is "high": nice values go up, that of the least important VM first, each to the bound
 *    that the administrator set for it. The favoured VM's bound is where it stands.
 *
 * A VM's floor is the share that its worst nice value gives it among the others' best ones.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/bench/p1/p1.h"
#include "tools/bench/served.h"
#include "user/actuate/cpu.h"

#define RUNS	     5
#define VMS_MAX	     3
#define BAR	     1.16
#define CONFIG_MAX   4096
#define GET_THERE_MS 30000
#define LOOK_MS	     200
#define WHAT_MAX     128

struct member {
	const char *name;
	int priority, nice_min, nice_max;
	int nice; /* where the policy gets it */
};

struct part {
	const char *name;
	const char *params; /* of the policy */
	bool host_work;
	size_t n;
	struct member member[VMS_MAX]; /* the favoured one first */
};

static const struct part part_a = {
	.name = "A",
	.params = "up = 10000\ndown = 10000\nstep = 5\nevery = 1s\n",
	.host_work = true,
	.n = 1,
	.member = { { "the VM", 0, -10, 0, -10 } },
};

static const struct part part_b = {
	.name = "B",
	.params = "up = 0\ndown = 0\nstep = 5\nevery = 1s\n",
	.n = 3,
	.member = { { "the important VM", 10, 0, 0, 0 },
		    { "the middle VM", 0, 0, 5, 5 },
		    { "the unimportant VM", -10, 0, 10, 10 } },
};

/* Who competes: the VMs, and behind them the host's work. */
struct scene {
	const struct part *part;
	struct vmadj_lab_vm *vm[VMS_MAX];
	pid_t host_work;
};

/* [0]: without the policy, [1]: with it */
struct figures {
	struct vmadj_bench_series ratio[VMADJ_P1_TESTS], index, clock;
	struct vmadj_bench_series share_pct[2][VMS_MAX];
};

/* --- the scene ---------------------------------------------------------- */

static __attribute__((noreturn)) void burn(unsigned int cpu, pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setsid();
	(void)vmadj_bench_pin(cpu);
	while (getppid() == parent) {
		for (volatile unsigned int i = 0; i < 100000000; i++)
			;
	}
	_exit(0);
}

static void name_of(const struct part *part, size_t i, char name[48])
{
	(void)snprintf(name, 48, "bench-%d-%s%zu", (int)getpid(), part->name, i);
}

static int scene_start(struct vmadj_bench *bench, struct scene *scene)
{
	char name[48];
	const struct vmadj_lab_linux want = { .name = name,
					      .load = "unixlike:" VMADJ_P1_SECONDS,
					      .pinned = true,
					      .cpu = bench->cpu,
					      .own_session = true };
	pid_t self = getpid();
	int err = 0;

	for (size_t i = 0; i < scene->part->n && !err; i++) {
		name_of(scene->part, i, name);
		err = vmadj_lab_linux_start(&want, &scene->vm[i]);
	}
	if (err)
		return vmadj_bench_fail(bench, err, "%s", vmadj_lab_why());
	if (scene->part->host_work) {
		scene->host_work = fork();
		if (!scene->host_work)
			burn(bench->cpu, self);
	}
	return scene->host_work < 0 ? -errno : 0;
}

static void scene_end(struct scene *scene)
{
	if (scene->host_work > 0) {
		(void)kill(scene->host_work, SIGKILL);
		(void)waitpid(scene->host_work, NULL, 0);
	}
	vmadj_lab_stop_many(scene->vm, scene->part->n);
}

static double run_s(pid_t pid)
{
	struct timespec run = { 0 };
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &run))
		return 0;
	return (double)run.tv_sec + (double)run.tv_nsec / 1e9;
}

static void read_run_s(const struct scene *scene, double ret_s[VMS_MAX + 1])
{
	for (size_t i = 0; i < scene->part->n; i++)
		ret_s[i] = run_s(vmadj_lab_vm_pid(scene->vm[i]));
	ret_s[VMS_MAX] = scene->host_work > 0 ? run_s(scene->host_work) : 0;
}

/* --- the policy --------------------------------------------------------- */

static int config_of(const struct part *part, char config[CONFIG_MAX])
{
	char file[512], name[48];
	int len, err = vmadj_bench_served_policy("policies/loadavg_nice", file, sizeof(file));

	if (err)
		return err;
	len = snprintf(config, CONFIG_MAX,
		       "interval = 500ms\n[policy loadavg_nice]\narmed = yes\nfile = %s\n%s"
		       "[vm *]\nmanage = no\n",
		       file, part->params);
	for (size_t i = 0; i < part->n; i++) {
		const struct member *member = &part->member[i];

		name_of(part, i, name);
		len += snprintf(config + len, CONFIG_MAX - (size_t)len,
				"[vm %s]\nmanage = yes\npriority = %d\nnice_min = %d\nnice_max = "
				"%d\n",
				name, member->priority, member->nice_min, member->nice_max);
	}
	return 0;
}

/* Whether the policy has got all VMs to where it shall. */
static int look(struct vmadj_bench *bench, const struct part *part,
		struct vmadj_bench_served *served, bool *ret_there)
{
	char name[48];

	*ret_there = true;
	for (size_t i = 0; i < part->n; i++) {
		json_t *why;
		int err;

		name_of(part, i, name);
		err = vmadj_bench_served_ask(bench, served, "why", name, &why);
		if (err == -EPROTO) { /* it has not met the VM yet */
			*ret_there = false;
			return 0;
		}
		if (err)
			return err;
		*ret_there &=
			json_is_string(json_object_get(why, "cpu_kind")) &&
			json_integer_value(json_object_get(why, "nice")) == part->member[i].nice;
		json_decref(why);
	}
	return 0;
}

static int start_policy(struct vmadj_bench *bench, const struct part *part,
			struct vmadj_bench_served *served)
{
	char config[CONFIG_MAX];
	bool there = false;
	int err = config_of(part, config);

	if (!err)
		err = vmadj_bench_served_start(bench, config, served);
	for (int ms = 0; ms < GET_THERE_MS && !err && !there; ms += LOOK_MS) {
		err = vmadj_bench_sleep_ms(LOOK_MS);
		if (!err)
			err = look(bench, part, served, &there);
	}
	if (!err && !there) {
		err = vmadj_bench_fail(bench, -ETIMEDOUT,
				       "the policy does not get the VMs to their nice values");
	}
	return err;
}

/* --- measuring ---------------------------------------------------------- */

static int measure_round(struct vmadj_bench *bench, const struct scene *scene, bool with,
			 struct vmadj_p1_round *round, struct figures *figures)
{
	double before[VMS_MAX + 1], after[VMS_MAX + 1], all = 0;
	int err;

	read_run_s(scene, before);
	err = vmadj_p1_round(bench, scene->vm[0], round);
	if (err)
		return err;
	read_run_s(scene, after);
	for (size_t i = 0; i < scene->part->n; i++)
		all += after[i] - before[i];
	all += after[VMS_MAX] - before[VMS_MAX];
	for (size_t i = 0; i < scene->part->n; i++) {
		vmadj_bench_series_add(&figures->share_pct[with][i],
				       100 * (after[i] - before[i]) / all);
	}
	vmadj_bench_series_add(&figures->clock, round->guest_s / round->host_s);
	return 0;
}

static int measure_with(struct vmadj_bench *bench, const struct scene *scene,
			struct vmadj_p1_round *round, struct figures *figures)
{
	struct vmadj_bench_served served = { .socket = -1 };
	int err = start_policy(bench, scene->part, &served), stopped;

	if (!err)
		err = measure_round(bench, scene, true, round, figures);
	stopped = vmadj_bench_served_stop(&served);
	return err ? err : stopped;
}

/* Once with and once without; which comes first alternates. */
static int measure_pair(struct vmadj_bench *bench, const struct scene *scene, int run,
			struct figures *figures)
{
	struct vmadj_p1_round round[2];
	double sum = 0;
	int err = 0;

	for (int i = 0; i < 2 && !err; i++) {
		if ((run + i) % 2) {
			err = measure_with(bench, scene, &round[1], figures);
		} else {
			err = measure_round(bench, scene, false, &round[0], figures);
		}
	}
	for (size_t i = 0; i < VMADJ_P1_TESTS && !err; i++) {
		double ratio = round[1].rate[i] / round[0].rate[i];

		vmadj_bench_series_add(&figures->ratio[i], ratio);
		sum += log(ratio);
	}
	if (!err)
		vmadj_bench_series_add(&figures->index, exp(sum / VMADJ_P1_TESTS));
	return err;
}

/* --- reporting ---------------------------------------------------------- */

static double floor_pct(const struct part *part, size_t i)
{
	double own = vmadj_nice_to_weight(part->member[i].nice_max);
	double all = own + (part->host_work ? vmadj_nice_to_weight(0) : 0);

	for (size_t k = 0; k < part->n; k++)
		all += k == i ? 0 : vmadj_nice_to_weight(part->member[k].nice_min);
	return 100 * own / all;
}

static int report_shares(struct vmadj_bench *bench, const struct part *part,
			 const struct figures *figures)
{
	char what[WHAT_MAX];
	int err = 0;

	for (size_t i = 0; i < part->n && !err; i++) {
		const struct member *member = &part->member[i];
		struct vmadj_bench_row row = {
			.what = what,
			.unit = "%",
			.sense = VMADJ_BENCH_AT_LEAST,
			.bar = floor_pct(part, i),
			.worst = true,
		};

		(void)snprintf(what, sizeof(what), "%s: share of %s at nice %d, with the policy",
			       part->name, member->name, member->nice);
		err = vmadj_bench_report_add(bench->report, &row, &figures->share_pct[1][i]);
		row = (struct vmadj_bench_row){ .what = "  without", .unit = "%" };
		if (!err) {
			err = vmadj_bench_report_add(bench->report, &row,
						     &figures->share_pct[0][i]);
		}
	}
	return err;
}

static int report(struct vmadj_bench *bench, const struct part *part, const struct figures *figures)
{
	char what[WHAT_MAX];
	struct vmadj_bench_row row = {
		.what = what,
		.unit = "ratio",
		.sense = VMADJ_BENCH_AT_LEAST,
		.bar = BAR,
	};
	int err;

	(void)snprintf(what, sizeof(what), "%s: %s, index with / without the policy (P1 1.16)",
		       part->name, part->member[0].name);
	err = vmadj_bench_report_add(bench->report, &row, &figures->index);
	row.sense = VMADJ_BENCH_SHOWN;
	for (size_t i = 0; i < VMADJ_P1_TESTS && !err; i++) {
		(void)snprintf(what, sizeof(what), "  %s", vmadj_p1_tests[i].title);
		err = vmadj_bench_report_add(bench->report, &row, &figures->ratio[i]);
	}
	if (!err)
		err = report_shares(bench, part, figures);
	(void)snprintf(what, sizeof(what), "%s: the guest's clock / the host's", part->name);
	return err ? err : vmadj_bench_report_add(bench->report, &row, &figures->clock);
}

static void say_params(const struct part *part)
{
	char params[256];

	(void)snprintf(params, sizeof(params), "%s", part->params);
	for (char *end; (end = strchr(params, '\n'));)
		*end = ' ';
	(void)printf("%s: loadavg_nice with %s\n", part->name, params);
	(void)fflush(stdout);
}

static int measure_part(struct vmadj_bench *bench, const struct part *part)
{
	struct scene scene = { .part = part };
	static struct figures figures;
	int err;

	memset(&figures, 0, sizeof(figures));
	say_params(part);
	err = scene_start(bench, &scene);
	for (int run = 0; run < RUNS && !err; run++)
		err = measure_pair(bench, &scene, run, &figures);
	scene_end(&scene);
	return err ? err : report(bench, part, &figures);
}

int vmadj_p1_part_a(struct vmadj_bench *bench)
{
	return measure_part(bench, &part_a);
}

int vmadj_p1_part_b(struct vmadj_bench *bench)
{
	return measure_part(bench, &part_b);
}
