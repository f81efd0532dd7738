// SPDX-License-Identifier: GPL-2.0-only
/* cost_act.c - what follows from what the daemon costs, and how it is told */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/daemon/cost_private.h"
#include "user/daemon/daemon.h"
#include "user/observe/observer.h"
#include "user/util/log.h"

#define TEXT_MAX 96

/* What it is that costs most, as "the policy margin 3.1 %". */
static const char *dearest(const struct vmadj_cost *cost, char text[TEXT_MAX])
{
	double most = -1;

	(void)snprintf(text, TEXT_MAX, "nothing that is known");
	for (size_t i = 0; i < cost->n_programs; i++) {
		if (cost->program[i].cpu_pct > most) {
			most = cost->program[i].cpu_pct;
			(void)snprintf(text, TEXT_MAX, "the BPF program %s %.3g %%",
				       cost->program[i].name, most);
		}
	}
	for (size_t i = 0; i < cost->processes.n; i++) {
		if (cost->processes.process[i].cpu_pct > most) {
			most = cost->processes.process[i].cpu_pct;
			(void)snprintf(text, TEXT_MAX, "the process \"%s\" %.3g %%",
				       cost->processes.process[i].what, most);
		}
	}
	return text;
}

static void fall_back(struct vmadj_cost *cost)
{
	const struct vmadj_cost_figures *figures = &cost->figures;
	struct vmadj_observer *observer = cost->daemon->observer;
	int err = vmadj_observer_fall_back(observer);

	if (vmadj_observer_mode(observer) != VMADJ_MODE_POLL) {
		cost->cannot_fall_back = true;
		log_warning(
			"observing costs %.3g %% of a CPU, more than cost_max, %.3g %%; it still "
			"traces, since polling was refused: %s",
			vmadj_cost_sum_pct(figures), figures->budget_pct, strerror(-err));
		return;
	}
	(void)snprintf(cost->why_poll, sizeof(cost->why_poll),
		       "tracing cost %.3g %% of a CPU of %.3g %% altogether, more than cost_max, "
		       "%.3g %%",
		       figures->tracing_pct, vmadj_cost_sum_pct(figures), figures->budget_pct);
	log_notice("%s: polling from now on, without wait percentiles and who was waited for; to "
		   "trace again, raise cost_max or set mode = trace, and restart",
		   cost->why_poll);
}

void vmadj_cost_act(struct vmadj_cost *cost)
{
	const struct vmadj_cost_figures *figures = &cost->figures;
	double sum_pct = vmadj_cost_sum_pct(figures);
	char text[TEXT_MAX];

	switch (vmadj_cost_judge(&cost->judge, figures)) {
	case VMADJ_COST_FINE:
		break;
	case VMADJ_COST_FALL_BACK:
		fall_back(cost);
		break;
	case VMADJ_COST_MUST_TRACE:
		log_warning(
			"observing costs %.3g %% of a CPU, %.3g %% of it tracing, more than "
			"cost_max, %.3g %%; it goes on, as mode = trace says: mode = auto would "
			"poll",
			sum_pct, figures->tracing_pct, figures->budget_pct);
		break;
	case VMADJ_COST_NO_WAY:
		log_warning("observing costs %.3g %% of a CPU, more than cost_max, %.3g %%%s; most "
			    "is %s; a longer interval or a higher cost_max ends this",
			    sum_pct, figures->budget_pct,
			    figures->polls		   ? ", although it polls"
			    : isnan(figures->programs_pct) ? ", without the BPF programs, whose "
							     "time is not known"
							   : ", and polling would not cost less",
			    dearest(cost, text));
		break;
	}
}

/* --- for `ctl status` --------------------------------------------------- */

/* Why the programs' time is not known; NULL: it is, or nothing was measured. */
static const char *why_not(const struct vmadj_cost *cost)
{
	if (isnan(cost->measured_s) || !cost->programs_err)
		return NULL;
	switch (cost->programs_err) {
	case -EPERM:
		return "BPF statistics are not permitted: it takes CAP_SYS_ADMIN when the daemon "
		       "starts, or kernel.bpf_stats_enabled = 1";
	case -EPIPE:
		return "the process that turns BPF statistics on does not run: restart the daemon";
	case -ETIMEDOUT:
		return "the process that turns BPF statistics on does not answer";
	default:
		return strerror(-cost->programs_err);
	}
}

static void write_programs(const struct vmadj_cost *cost, struct vmadj_jsonw *w)
{
	vmadj_jsonw_open(w, "programs", '[');
	for (size_t i = 0; i < cost->n_programs; i++) {
		const struct vmadj_cost_program *program = &cost->program[i];

		vmadj_jsonw_open(w, NULL, '{');
		vmadj_jsonw_string(w, "name", program->name);
		vmadj_jsonw_double(w, "calls_per_s", program->calls_per_s, 1);
		vmadj_jsonw_double(w, "ns_per_call", program->ns_per_call, 1);
		vmadj_jsonw_double(w, "cpu_pct", program->cpu_pct, 4);
		vmadj_jsonw_close(w, '}');
	}
	vmadj_jsonw_close(w, ']');
}

static void write_processes(const struct vmadj_cost_processes *list, struct vmadj_jsonw *w)
{
	vmadj_jsonw_open(w, "processes", '[');
	for (size_t i = 0; i < list->n; i++) {
		const struct vmadj_cost_process *process = &list->process[i];

		vmadj_jsonw_open(w, NULL, '{');
		vmadj_jsonw_string(w, "what", process->what);
		vmadj_jsonw_i64(w, "pid", process->pid);
		vmadj_jsonw_double(w, "cpu_pct", process->cpu_pct, 4);
		if (process->rss_bytes == UINT64_MAX) {
			vmadj_jsonw_null(w, "rss_bytes");
		} else {
			vmadj_jsonw_u64(w, "rss_bytes", process->rss_bytes);
		}
		vmadj_jsonw_close(w, '}');
	}
	vmadj_jsonw_close(w, ']');
}

void vmadj_cost_write(const struct vmadj_cost *cost, const char *key, struct vmadj_jsonw *w)
{
	double max_pct = cost->daemon->config->cost_max_pct;

	vmadj_jsonw_open(w, key, '{');
	vmadj_jsonw_double(
		w, "max_pct",
		max_pct > 0 ? max_pct * (double)sysconf(_SC_NPROCESSORS_ONLN) : (double)NAN, 4);
	vmadj_jsonw_bool(w, "measuring", cost->state != VMADJ_COST_IDLE);
	vmadj_jsonw_double(w, "age_s", vmadj_daemon_now_s() - cost->measured_s, 1);
	vmadj_jsonw_double(w, "cpu_pct", cost->figures.programs_pct + cost->figures.processes_pct,
			   4);
	vmadj_jsonw_double(w, "programs_pct", cost->figures.programs_pct, 4);
	vmadj_jsonw_string(w, "programs_why_not", why_not(cost));
	write_programs(cost, w);
	write_processes(&cost->processes, w);
	vmadj_jsonw_u64(w, "over", cost->judge.over);
	vmadj_jsonw_string(w, "fallen_back", *cost->why_poll ? cost->why_poll : NULL);
	vmadj_jsonw_close(w, '}');
}
