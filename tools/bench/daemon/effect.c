// SPDX-License-Identifier: GPL-2.0-only
/*
 * effect.c - how long it takes from a snapshot to the changed knob
 *
 * Told twice: by the daemon, and by this process, which looks at the kernel's value all the time
 * and holds the moment at which it changes against the snapshot's time, which the policy
 * puts into its reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tools/bench/daemon/daemon.h"
#include "tools/bench/served.h"
#include "user/util/file.h"
#include "user/util/process.h"

/* Without CAP_SYS_ADMIN the kernel takes an autogroup's value once in 100 ms: far from that. */
#define INTERVAL "500ms"
#define PHASES	 3
#define CHANGES	 40 /* a phase: the daemon remembers 16 decisions a VM, and not to wish is one */
#define WANTED	 100
#define MOST	 256
#define LOOK_NS	 200000
#define REST_S	 0.5 /* a change that was decided before is done after that */
#define LIMIT_S	 90  /* a phase */
#define BAR_MS	 50
#define NEVER_MS 60000 /* it failed, or nobody saw it */
#define WHAT_MAX 128
#define MS_IN_S	 1e3

struct change {
	size_t vm;
	int nice;
	double at_s; /* unix */
};

struct effect {
	struct vmadj_lab_vm *const *vm; /* the turned ones */
	bool by_thread;
	int nice[VMADJ_BENCH_TURNED];
	double since_s; /* of this phase, unix */
	size_t n;
	struct change change[MOST];
	struct vmadj_bench_series seen_ms, told_ms;
};

static double unix_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The kernel's value, at the level at which these VMs compete. */
static int read_nice(const struct effect *effect, size_t i, int *ret_nice)
{
	struct vmadj_lab_vm *vm = effect->vm[i];
	char path[64], text[128];
	const char *at;

	if (effect->by_thread) {
		*ret_nice = getpriority(PRIO_PROCESS, (id_t)vmadj_lab_vm_vcpu_tid(vm, 0));
		return 0;
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/autogroup", vmadj_lab_vm_pid(vm));
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return -ESRCH;
	at = strstr(text, " nice ");
	if (!at)
		return -EIO;
	*ret_nice = (int)strtol(at + strlen(" nice "), NULL, 10);
	return 0;
}

/* One look at all of them; what has changed since the last is noted. */
static int look(struct effect *effect)
{
	for (size_t i = 0; i < VMADJ_BENCH_TURNED; i++) {
		int nice, err = read_nice(effect, i, &nice);

		if (err)
			return err;
		if (nice == effect->nice[i] || effect->n == MOST)
			continue;
		effect->nice[i] = nice;
		effect->change[effect->n++] = (struct change){ i, nice, unix_s() };
	}
	return 0;
}

/* Until so many changes were seen, or for @seconds. */
static int watch(struct effect *effect, size_t changes, double seconds)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	double end_s = unix_s() + seconds;
	int err = 0;

	while (effect->n < changes && unix_s() < end_s && !err) {
		err = look(effect);
		if (!err)
			err = vmadj_bench_sleep_ms(0);
		(void)nanosleep(&pause, NULL);
	}
	return err;
}

/* How long after @from_s it was first seen to be @nice. */
static double seen_ms(const struct effect *effect, size_t vm, int nice, double from_s)
{
	for (size_t i = 0; i < effect->n; i++) {
		const struct change *change = &effect->change[i];

		if (change->vm == vm && change->nice == nice && change->at_s >= from_s)
			return (change->at_s - from_s) * MS_IN_S;
	}
	return NEVER_MS;
}

static void take_decision(struct effect *effect, size_t vm, const json_t *decision)
{
	const json_t *result = json_object_get(decision, "result");
	const char *reason = json_string_value(json_object_get(decision, "reason"));
	double from_s = reason ? strtod(reason, NULL) : 0;
	int nice = (int)json_integer_value(json_object_get(decision, "to"));

	if (!json_is_object(result) || from_s < effect->since_s)
		return;
	vmadj_bench_series_add(&effect->told_ms,
			       json_is_null(json_object_get(result, "error")) &&
					       json_is_false(json_object_get(result, "pending"))
				       ? json_number_value(json_object_get(result, "took_ms"))
				       : NEVER_MS);
	vmadj_bench_series_add(&effect->seen_ms, seen_ms(effect, vm, nice, from_s));
}

static int ask_why(struct vmadj_bench *bench, struct vmadj_bench_served *served,
		   const struct vmadj_lab_vm *vm, json_t **ret_why)
{
	uint64_t start;
	char id[48];
	int err = vmadj_process_start(vmadj_lab_vm_pid(vm), &start);

	(void)snprintf(id, sizeof(id), "%d-%llu", vmadj_lab_vm_pid(vm), (unsigned long long)start);
	return err ? err : vmadj_bench_served_ask(bench, served, "why", id, ret_why);
}

static int take_decisions(struct vmadj_bench *bench, struct vmadj_bench_served *served,
			  struct effect *effect)
{
	int err = 0;

	for (size_t i = 0; i < VMADJ_BENCH_TURNED && !err; i++) {
		const json_t *decision;
		json_t *why = NULL;
		size_t k;

		err = ask_why(bench, served, effect->vm[i], &why);
		json_array_foreach(json_object_get(why, "decisions"), k, decision)
			take_decision(effect, i, decision);
		json_decref(why);
	}
	return err;
}

/* At which level these VMs compete: the daemon knows once it has met them. */
static int learn_level(struct vmadj_bench *bench, struct vmadj_bench_served *served,
		       struct effect *effect)
{
	const char *kind = NULL;
	json_t *why = NULL;
	int err = 0;

	for (int ms = 0; ms < 20000 && !err && !kind; ms += 500) {
		json_decref(why);
		why = NULL;
		err = vmadj_bench_sleep_ms(500);
		if (!err && ask_why(bench, served, effect->vm[0], &why))
			continue;
		kind = json_string_value(json_object_get(why, "cpu_kind"));
	}
	effect->by_thread = kind && !strcmp(kind, "thread-nice");
	if (!err && !effect->by_thread && (!kind || strcmp(kind, "autogroup") != 0)) {
		err = vmadj_bench_fail(bench, -EOPNOTSUPP, "VMs compete by %s here",
				       kind ? kind : "nothing that is known");
	}
	json_decref(why);
	for (size_t i = 0; i < VMADJ_BENCH_TURNED && !err; i++)
		err = read_nice(effect, i, &effect->nice[i]);
	return err;
}

static int tell(struct vmadj_bench *bench, struct vmadj_bench_served *served, const char *verb)
{
	json_t *answer = NULL;
	int err = vmadj_bench_served_ask(bench, served, verb, NULL, &answer);

	json_decref(answer);
	return err;
}

static int run_phase(struct vmadj_bench *bench, struct vmadj_bench_served *served,
		     struct effect *effect)
{
	int err = tell(bench, served, "resume");

	effect->since_s = unix_s();
	if (!err)
		err = watch(effect, effect->n + CHANGES, LIMIT_S);
	if (!err)
		err = tell(bench, served, "pause");
	if (!err)
		err = watch(effect, MOST, REST_S);
	return err ? err : take_decisions(bench, served, effect);
}

static int measure(struct vmadj_bench *bench, struct effect *effect)
{
	struct vmadj_bench_served served = { .socket = -1 };
	struct vmadj_bench_policy policy = vmadj_bench_looks_at_all;
	char config[VMADJ_BENCH_CONFIG_MAX];
	int err, stopped;

	policy.interval = INTERVAL;
	err = vmadj_bench_fleet_config(&policy, config);
	if (!err)
		err = vmadj_bench_served_start(bench, config, &served);
	if (!err)
		err = learn_level(bench, &served, effect);
	for (int i = 0; i < PHASES && !err; i++)
		err = run_phase(bench, &served, effect);
	if (!err && effect->told_ms.n < WANTED)
		err = vmadj_bench_fail(bench, -ENODATA, "only %zu changes", effect->told_ms.n);
	stopped = vmadj_bench_served_stop(&served);
	return err ? err : stopped;
}

static int report(struct vmadj_bench *bench, size_t n, const struct effect *effect)
{
	char what[WHAT_MAX];
	struct vmadj_bench_row row = {
		.what = what,
		.unit = "ms",
		.sense = VMADJ_BENCH_AT_MOST,
		.bar = BAR_MS,
		.worst = true,
	};
	int err;

	(void)snprintf(what, sizeof(what),
		       "%zu KVM VMs: snapshot to changed knob, as seen from outside", n);
	err = vmadj_bench_report_add(bench->report, &row, &effect->seen_ms);
	(void)snprintf(what, sizeof(what),
		       "%zu KVM VMs: snapshot to changed knob, as ctl why tells it", n);
	if (!err)
		err = vmadj_bench_report_add(bench->report, &row, &effect->told_ms);
	row = (struct vmadj_bench_row){ .what = "  seen from outside, the median", .unit = "ms" };
	return err ? err : vmadj_bench_report_add(bench->report, &row, &effect->seen_ms);
}

static int measure_fleet(struct vmadj_bench *bench, size_t n)
{
	static struct vmadj_bench_fleet fleet;
	static struct effect effect;
	int err = vmadj_bench_fleet_start(bench, n, &fleet);

	memset(&effect, 0, sizeof(effect));
	effect.vm = fleet.vm;
	if (!err)
		err = measure(bench, &effect);
	vmadj_bench_fleet_stop(&fleet);
	return err ? err : report(bench, n, &effect);
}

int vmadj_bench_daemon_effect(struct vmadj_bench *bench)
{
	int err = measure_fleet(bench, VMADJ_BENCH_TURNED);

	return err ? err : measure_fleet(bench, VMADJ_BENCH_FLEET_MAX);
}
