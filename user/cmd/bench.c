// SPDX-License-Identifier: GPL-2.0-only
/* bench.c - `vmadjust-bpf bench overhead`: what observing costs on this host */
#include "user/cmd/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "user/bench/kmod.h"
#include "user/bench/others.h"
#include "user/cmd/cmd.h"
#include "user/cmd/exitcode.h"
#include "user/cmd/observe.h"
#include "user/cmd/options.h"
#include "user/cmd/output.h"
#include "user/cmd/screen.h"
#include "user/cmd/signals.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"

#define PAIRS	      20
#define CLOCK_STEP_NS 10000 /* a clock that moves on in larger steps measures nothing here */

static int check_words(const struct vmadj_options *options)
{
	if (options->n_words != 1 || strcmp(options->word[0], "overhead") != 0) {
		log_err("%s%s: what can be measured is \"vmadjust-bpf bench overhead\"",
			options->n_words ? "unknown: " : "bench needs a word behind it",
			options->n_words ? options->word[0] : "");
		return VMADJ_EXIT_USAGE;
	}
	if (options->json && options->markdown) {
		log_err("--json and --markdown exclude each other; leave one out");
		return VMADJ_EXIT_USAGE;
	}
	return VMADJ_EXIT_DONE;
}

static int choose_cpu(const struct vmadj_options *options, struct vmadj_overhead_setup *setup)
{
	int err = vmadj_bench_cpus_get(&setup->cpus);

	if (err) {
		log_err("cannot find out on which CPUs to run: %s", strerror(-err));
		return VMADJ_EXIT_FAILED;
	}
	setup->cpu = setup->cpus.last;
	if (options->cpu == UINT64_MAX)
		return VMADJ_EXIT_DONE;
	if (options->cpu >= CPU_SETSIZE || !CPU_ISSET(options->cpu, &setup->cpus.may)) {
		log_err("--cpu %ju: there is no such CPU, it is off, or this process may not use "
			"it; Cpus_allowed_list in /proc/self/status has those it may",
			(uintmax_t)options->cpu);
		return VMADJ_EXIT_USAGE;
	}
	setup->cpu = (unsigned int)options->cpu;
	return VMADJ_EXIT_DONE;
}

static int check_clock(void)
{
	uint64_t step_ns = vmadj_bench_clock_step_ns();

	if (step_ns <= CLOCK_STEP_NS)
		return VMADJ_EXIT_DONE;
	log_err("time cannot be measured here: the clock moves on by %ju ns at once; choose a "
		"better one in /sys/devices/system/clocksource/clocksource0",
		(uintmax_t)step_ns);
	return VMADJ_EXIT_FAILED;
}

/* Both modes must work before minutes are spent. */
static int check_observer(const struct vmadj_options *options)
{
	static const enum vmadj_mode modes[] = { VMADJ_MODE_TRACE, VMADJ_MODE_POLL };
	int status = VMADJ_EXIT_DONE;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]) && !status; i++) {
		struct vmadj_observer *observer = NULL;

		status = vmadj_observe(options, modes[i], &observer);
		vmadj_observer_close(observer);
	}
	return status;
}

static int check_kmod(struct vmadj_bench_kmod *kmod, const char *path)
{
	int err = vmadj_bench_kmod_load(kmod, "mode=trace");

	if (!err)
		err = vmadj_bench_kmod_unload(kmod);
	if (!err)
		return VMADJ_EXIT_DONE;
	log_err("--kmod %s: %s", path, kmod->why);
	return VMADJ_EXIT_FAILED;
}

static int count_others(void)
{
	char name[64] = "";
	int n = vmadj_bench_others(name, sizeof(name));

	if (n > 0) {
		log_warning(
			"%d BPF program%s of others on each context switch (\"%s\"; bpftool link "
			"shows whose): the cost is in all halves of the pairs, end them first; if "
			"it is the daemon: systemctl stop vmadjust-bpf",
			n, n == 1 ? "" : "s", name);
	} else if (n < 0) {
		log_info("whether others are attached to context switches is not known: %s",
			 strerror(-n));
	}
	return n;
}

/* Off the CPU that is measured, with all children but those that are to load it. */
static void keep_off(const struct vmadj_overhead_setup *setup)
{
	cpu_set_t rest = setup->cpus.may;

	CPU_CLR(setup->cpu, &rest);
	if (setup->cpus.n > 1)
		(void)sched_setaffinity(0, sizeof(rest), &rest);
}

static int measure(const struct vmadj_overhead_setup *setup, struct vmadj_overhead *overhead)
{
	int signals[VMADJ_END_SIGNALS_MAX], err;

	log_notice("CPU %u is loaded for some minutes; Ctrl-C ends it and leaves nothing behind",
		   setup->cpu);
	keep_off(setup);
	vmadj_bench_stop_on(signals, vmadj_signals_list(signals));
	err = vmadj_overhead_measure(setup, overhead);
	(void)vmadj_signals_block();
	return err;
}

static int print(const struct vmadj_options *options, const struct vmadj_bench_result *result)
{
	struct vmadj_table_style style;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int err;

	vmadj_screen_style(options->no_color, &style);
	if (options->json) {
		err = vmadj_bench_to_json(result, &text, &len);
	} else if (options->markdown) {
		err = vmadj_bench_to_markdown(result, &text, &len);
	} else {
		err = vmadj_bench_to_text(result, style.color, style.width, &text, &len);
	}
	if (err) {
		log_err("cannot print what was measured: %s", strerror(-err));
		return VMADJ_EXIT_FAILED;
	}
	return vmadj_output_print(text, len);
}

/* Return: VMADJ_EXIT_FAILED: a row is missing; the log says why. */
static int judge(const struct vmadj_overhead *overhead)
{
	int status = VMADJ_EXIT_DONE;

	for (size_t i = 0; i < overhead->n; i++) {
		const struct vmadj_overhead_row *row = &overhead->row[i];

		if (!row->values.n)
			status = VMADJ_EXIT_FAILED;
		if (row->bar && row->values.n && !vmadj_overhead_sure(row)) {
			log_warning(
				"%s: so many pairs lie on the other side of %g, or so few were "
				"measured, that it may be chance; --pairs with a greater number "
				"tells more",
				row->what, row->bar);
		}
	}
	if (!vmadj_overhead_quiet(overhead)) {
		log_warning(
			"the host is not quiet: pairs differ by more than 2 %%; end what runs on "
			"it, or choose another CPU with --cpu");
	}
	return status;
}

static int end_early(const struct vmadj_bench_kmod *kmod)
{
	if (kmod && kmod->why[0]) {
		log_err("interrupted; the kernel module: %s", kmod->why);
		return VMADJ_EXIT_FAILED;
	}
	log_notice("interrupted; nothing is left behind");
	return VMADJ_EXIT_DONE;
}

static int measure_and_print(const struct vmadj_options *options,
			     const struct vmadj_overhead_setup *setup)
{
	_cleanup_free_ struct vmadj_overhead *overhead = calloc(1, sizeof(*overhead));
	struct vmadj_bench_result result = {
		.overhead = overhead,
		.cpus = setup->cpus.n,
		.cpu = setup->cpu,
		.pairs = setup->pairs,
		.others = count_others(),
	};
	struct utsname uts = { .release = "" };
	int status;

	if (!overhead) {
		log_err("out of memory");
		return VMADJ_EXIT_FAILED;
	}
	if (measure(setup, overhead))
		return end_early(setup->kmod);
	(void)uname(&uts);
	result.kernel = uts.release;
	status = print(options, &result);
	return status ? status : judge(overhead);
}

int vmadj_cmd_bench(const struct vmadj_options *options)
{
	struct vmadj_bench_kmod kmod = { .fd = -1 };
	struct vmadj_overhead_setup setup = {
		.pairs = options->pairs ? (unsigned int)options->pairs : PAIRS,
		.kmod = options->kmod ? &kmod : NULL,
	};
	int status = check_words(options);

	if (!status)
		status = choose_cpu(options, &setup);
	if (!status && options->kmod && vmadj_bench_kmod_open(options->kmod, &kmod)) {
		log_err("--kmod %s: %s", options->kmod, kmod.why);
		status = VMADJ_EXIT_FAILED;
	}
	if (!status)
		status = check_clock();
	if (!status)
		status = check_observer(options);
	if (!status && options->kmod)
		status = check_kmod(&kmod, options->kmod);
	if (!status)
		status = measure_and_print(options, &setup);
	vmadj_bench_kmod_close(&kmod);
	return status;
}
