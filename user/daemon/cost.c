// SPDX-License-Identifier: GPL-2.0-only
/* cost.c - the daemon watches what it costs: measure it */
#include "user/daemon/cost.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "user/daemon/cost_private.h"
#include "user/daemon/daemon.h"
#include "user/daemon/policies_private.h"
#include "user/observe/mode.h"
#include "user/observe/stats.h"
#include "user/util/log.h"
#include "user/virt/libvirt_process.h"

#define COUNT_US    1000000
#define ACCURACY_US 10000
#define FRESH_S	    60 /* figures that `ctl status` shows without asking for newer ones */

static int arm(sd_event_source *source, uint64_t us)
{
	int err = sd_event_source_set_time_relative(source, us);

	return err < 0 ? err : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* --- a measurement ------------------------------------------------------ */

static void meet_processes(struct vmadj_cost *cost)
{
	const struct vmadj_policies *policies = &cost->daemon->policies;
	struct vmadj_cost_processes *list = &cost->processes;

	vmadj_cost_processes_meet(list, "daemon", getpid());
	if (cost->stats)
		vmadj_cost_processes_meet(list, "statistics", vmadj_stats_pid(cost->stats));
	vmadj_cost_processes_meet(list, "libvirt helper",
				  vmadj_libvirt_helper_pid(cost->daemon->libvirt));
	for (size_t i = 0; i < policies->n; i++) {
		char what[sizeof(list->process->what)];

		(void)snprintf(what, sizeof(what), "policy %s", policies->slot[i]->name);
		vmadj_cost_processes_meet(list, what, vmadj_runner_pid(policies->slot[i]->runner));
	}
}

static void count(struct vmadj_cost *cost, int stats_err)
{
	cost->state = VMADJ_COST_COUNTING;
	/* Then it needs nobody's help. */
	cost->stats_err = vmadj_stats_always() ? 0 : stats_err;
	cost->before_s = vmadj_daemon_now_s();
	cost->n_before =
		vmadj_programs_read(cost->daemon->observer, cost->before, VMADJ_PROGRAMS_MAX);
	(void)arm(cost->end, COUNT_US);
}

static void begin(struct vmadj_cost *cost)
{
	int err = cost->stats ? vmadj_stats_on(cost->stats) : -EPIPE;

	meet_processes(cost);
	if (err) {
		count(cost, err);
		return;
	}
	/* It is not waited for longer than this. */
	cost->state = VMADJ_COST_ASKED;
	(void)arm(cost->end, COUNT_US);
}

static void on_answer(void *userdata, int err)
{
	struct vmadj_cost *cost = userdata;

	if (cost->state == VMADJ_COST_ASKED) {
		count(cost, err);
	} else if (cost->state == VMADJ_COST_COUNTING && err && !vmadj_stats_always()) {
		cost->stats_err = err;
	}
}

static const struct vmadj_program_time *find_before(const struct vmadj_cost *cost, uint32_t id)
{
	for (size_t i = 0; i < cost->n_before; i++) {
		if (cost->before[i].id == id)
			return &cost->before[i];
	}
	return NULL;
}

static void take_programs(struct vmadj_cost *cost)
{
	struct vmadj_program_time now[VMADJ_PROGRAMS_MAX];
	double s = vmadj_daemon_now_s() - cost->before_s;
	size_t n = vmadj_programs_read(cost->daemon->observer, now, VMADJ_PROGRAMS_MAX);

	cost->figures.programs_pct = 0;
	for (size_t i = 0; i < n; i++) {
		const struct vmadj_program_time *before = find_before(cost, now[i].id);
		struct vmadj_cost_program *program = &cost->program[cost->n_programs];
		double calls, run_ns;

		if (!before)
			continue;
		calls = (double)(now[i].calls - before->calls);
		run_ns = (double)(now[i].run_ns - before->run_ns);
		*program = (struct vmadj_cost_program){
			.calls_per_s = calls / s,
			.ns_per_call = calls ? run_ns / calls : (double)NAN,
			.cpu_pct = run_ns / s / 1e7,
		};
		(void)snprintf(program->name, sizeof(program->name), "%s", now[i].name);
		cost->figures.programs_pct += program->cpu_pct;
		if (!strcmp(program->name, "sched_switch"))
			cost->figures.tracing_pct = program->cpu_pct;
		cost->n_programs++;
	}
}

static void take(struct vmadj_cost *cost)
{
	const struct vmadj_daemon *daemon = cost->daemon;
	double cpus = (double)sysconf(_SC_NPROCESSORS_ONLN);
	double max_pct = daemon->config->cost_max_pct;

	cost->measured_s = vmadj_daemon_now_s();
	cost->n_programs = 0;
	vmadj_cost_processes_look(&cost->processes);
	cost->figures = (struct vmadj_cost_figures){
		.budget_pct = max_pct > 0 ? max_pct * cpus : (double)INFINITY,
		.programs_pct = NAN,
		.tracing_pct = NAN,
		.processes_pct = vmadj_cost_processes_pct(&cost->processes),
		.polling_pct = cost->cannot_fall_back
				       ? (double)NAN
				       : vmadj_mode_poll_ns() / daemon->config->interval_s / 1e7,
		.polls = vmadj_observer_mode(daemon->observer) == VMADJ_MODE_POLL,
		.must_trace = daemon->config->mode == VMADJ_MODE_TRACE,
	};
	cost->programs_err = cost->stats_err;
	if (!cost->programs_err)
		take_programs(cost);
}

static int on_end(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vmadj_cost *cost = userdata;

	(void)source;
	(void)usec;
	if (cost->state == VMADJ_COST_ASKED)
		cost->stats_err = -ETIMEDOUT;
	cost->state = VMADJ_COST_IDLE;
	take(cost);
	if (cost->stats)
		vmadj_stats_off(cost->stats);
	if (!cost->daemon->stopping)
		vmadj_cost_act(cost);
	return 0;
}

/* --- when --------------------------------------------------------------- */

static int on_due(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vmadj_cost *cost = userdata;
	const struct vmadj_config *config = cost->daemon->config;
	int err;

	(void)usec;
	if (config->cost_max_pct > 0 && cost->state == VMADJ_COST_IDLE)
		begin(cost);
	err = arm(source, (uint64_t)(config->cost_every_s * 1e6));
	return err < 0 ? err : 0;
}

void vmadj_cost_ask(struct vmadj_cost *cost)
{
	if (cost->state == VMADJ_COST_IDLE && !(vmadj_daemon_now_s() - cost->measured_s < FRESH_S))
		begin(cost);
}

/* --- from start to end -------------------------------------------------- */

static int add_timers(struct vmadj_cost *cost)
{
	sd_event *event = cost->daemon->event;
	int err = sd_event_add_time_relative(event, &cost->due, CLOCK_MONOTONIC,
					     (uint64_t)(cost->daemon->config->cost_every_s * 1e6),
					     ACCURACY_US, on_due, cost);

	if (err < 0)
		return err;
	err = sd_event_add_time_relative(event, &cost->end, CLOCK_MONOTONIC, COUNT_US, ACCURACY_US,
					 on_end, cost);
	return err < 0 ? err : sd_event_source_set_enabled(cost->end, SD_EVENT_OFF);
}

int vmadj_cost_new(struct vmadj_daemon *daemon, struct vmadj_cost **ret_cost)
{
	struct vmadj_cost *cost = calloc(1, sizeof(*cost));
	int err;

	if (!cost)
		return -ENOMEM;
	cost->daemon = daemon;
	cost->measured_s = NAN;
	cost->figures.programs_pct = NAN;
	err = vmadj_stats_new(daemon->event, on_answer, cost, &cost->stats);
	if (err)
		log_warning("BPF statistics: %s, ignoring", strerror(-err));
	err = add_timers(cost);
	if (err < 0) {
		vmadj_cost_free(cost);
		return err;
	}
	*ret_cost = cost;
	return 0;
}

void vmadj_cost_free(struct vmadj_cost *cost)
{
	if (!cost)
		return;
	(void)sd_event_source_disable_unref(cost->due);
	(void)sd_event_source_disable_unref(cost->end);
	vmadj_stats_free(cost->stats);
	vmadj_cost_processes_clear(&cost->processes);
	free(cost);
}
