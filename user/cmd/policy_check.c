/* SPDX-License-Identifier: GPL-2.0-only */
/* policy_check.c - `vmadjust-bpf policy check`: load a policy, ask it, print what it wishes */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/cmd/exitcode.h"
#include "user/cmd/options.h"
#include "user/cmd/policy.h"
#include "user/util/wrap.h"
#include "user/snapshot/parse.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"
#include "user/util/text.h"

#define NAME_WIDTH  20
#define WISH_WIDTH  16
#define KEY_WIDTH   12
#define PARAM_NAME  14
#define HELP_COLUMN 46
#define MIB	    (1 << 20)

VMADJ_DEFINE_CLEANUP(struct vmadj_snapshot, vmadj_snapshot_free)

const char *vmadj_policy_knobs_text(uint32_t knobs)
{
	switch (knobs) {
	case VMADJ_KNOB_CPU:
		return "CPU share";
	case VMADJ_KNOB_MEMORY:
		return "memory";
	case VMADJ_KNOB_NONE:
		return "nothing";
	default:
		return "CPU and memory";
	}
}

static const char *number_text(const struct vmadj_runner_param_info *param, double value, char *buf,
			       size_t size)
{
	if (param->type == VMADJ_PARAM_BOOL) {
		(void)snprintf(buf, size, "%s", value != 0 ? "yes" : "no");
	} else if (param->type == VMADJ_PARAM_BYTES && fabs(value) >= MIB) {
		(void)snprintf(buf, size, "%.10gM", value / MIB);
	} else {
		(void)snprintf(buf, size, "%.10g", value);
	}
	return buf;
}

static void put_param(FILE *out, const struct vmadj_runner_param_info *param)
{
	char value[32], min[32], max[32], range[96] = "";

	if (param->type != VMADJ_PARAM_BOOL) {
		(void)snprintf(range, sizeof(range), "%s..%s",
			       number_text(param, param->min, min, sizeof(min)),
			       number_text(param, param->max, max, sizeof(max)));
	}
	vmadj_print_wrapped(out, param->help, HELP_COLUMN,
			    fprintf(out, "  %-*s %8s %-6s %-12s", PARAM_NAME, param->name,
				    number_text(param, param->value, value, sizeof(value)),
				    param->unit, range));
}

static void put_info(FILE *out, const struct vmadj_runner_info *info)
{
	(void)fprintf(out, "%-*s%s\n", KEY_WIDTH, "policy", info->name);
	vmadj_print_wrapped(out, info->summary, KEY_WIDTH,
			    fprintf(out, "%-*s", KEY_WIDTH - 1, "does"));
	(void)fprintf(out, "%-*s%s\n", KEY_WIDTH, "turns", vmadj_policy_knobs_text(info->knobs));
	(void)fprintf(out, "%-*s%s\n", KEY_WIDTH, "parameters", info->n_params ? "" : "none");
	for (size_t i = 0; i < info->n_params; i++)
		put_param(out, &info->param[i]);
}

static void put_wish(FILE *out, const struct vmadj_policy_wish *wish,
		     const struct vmadj_snapshot *snapshot)
{
	const char *name = NULL;
	char escaped[NAME_WIDTH * 4], what[64] = "nothing";

	for (size_t i = 0; i < snapshot->n_vms && !name; i++) {
		if (strcmp(snapshot->vms[i].id, wish->vm) == 0)
			name = snapshot->vms[i].name;
	}
	if (wish->knob == VMADJ_KNOB_CPU)
		(void)snprintf(what, sizeof(what), "nice %.10g", wish->value);
	if (wish->knob == VMADJ_KNOB_MEMORY)
		(void)snprintf(what, sizeof(what), "%.1f MiB", wish->value / MIB);
	vmadj_print_wrapped(
		out, name ? wish->reason : "there is no such VM: the daemon would refuse this",
		NAME_WIDTH + WISH_WIDTH,
		fprintf(out, "%-*s %-*s", NAME_WIDTH - 1,
			vmadj_escape(name ? name : wish->vm, escaped, sizeof(escaped)),
			WISH_WIDTH - 1, what));
}

static int ask(struct vmadj_trial *trial, const struct vmadj_snapshot *snapshot, uint64_t seq,
	       FILE *out)
{
	int err = vmadj_trial_ask(trial, snapshot, seq);

	if (err)
		return err;
	(void)fprintf(out, "\nsnapshot %llu, %zu VMs: %zu wish%s\n", (unsigned long long)seq,
		      snapshot->n_vms, trial->n, trial->n == 1 ? "" : "es");
	if (trial->n > 0)
		(void)fprintf(out, "%-*s%-*s%s\n", NAME_WIDTH, "VM", WISH_WIDTH, "WISH", "BECAUSE");
	for (size_t i = 0; i < trial->n; i++)
		put_wish(out, &trial->wish[i], snapshot);
	return 0;
}

/* Snapshots that no daemon recorded have no knobs, and nothing could be wished for. */
static bool assume_knobs(struct vmadj_snapshot *snapshot)
{
	bool assumed = false;

	for (size_t i = 0; i < snapshot->n_vms; i++) {
		struct vmadj_snap_vm *vm = &snapshot->vms[i];

		if (vm->knobs.known)
			continue;
		assumed = true;
		vm->knobs = (struct vmadj_snap_knobs){
			.known = true,
			.managed = true,
			.nice_min = -20,
			.nice_max = 19,
			.mem_min_bytes = UINT64_MAX,
			.mem_max_bytes = UINT64_MAX,
			.mem_weight = 100,
			.cpu = { .kind = "assumed", .effective = true },
		};
	}
	return assumed;
}

static int ask_recorded(struct vmadj_trial *trial, FILE *in, const char *from, FILE *out)
{
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	bool noted = false;
	uint64_t seq = 0;
	ssize_t len;

	while ((len = getline(&line, &room, in)) > 0) {
		_cleanup_(vmadj_snapshot_freep) struct vmadj_snapshot *snapshot = NULL;
		int err = vmadj_snapshot_from_json(line, (size_t)len, &snapshot);

		seq++;
		if (err) {
			(void)snprintf(trial->why, sizeof(trial->why),
				       "%s:%llu: is no line that \"dump --json\" prints: %s", from,
				       (unsigned long long)seq, strerror(-err));
			return err;
		}
		if (assume_knobs(snapshot) && !noted) {
			noted = true;
			(void)fputs("\nNo daemon recorded these snapshots: every VM is taken to be "
				    "managed, with nice 0.\n",
				    out);
		}
		err = ask(trial, snapshot, seq, out);
		if (err)
			return err;
	}
	if (seq == 0) {
		(void)snprintf(trial->why, sizeof(trial->why), "%s: there is no snapshot in it",
			       from);
		return -ENODATA;
	}
	return 0;
}

static int ask_all(struct vmadj_trial *trial, const char *file, FILE *out)
{
	_cleanup_fclose_ FILE *opened = NULL;

	if (!file)
		return ask(trial, vmadj_policy_example(), 1, out);
	if (strcmp(file, "-") == 0)
		return ask_recorded(trial, stdin, "standard input", out);
	opened = fopen(file, "re");
	if (!opened) {
		int err = -errno;

		(void)snprintf(trial->why, sizeof(trial->why), "cannot read %s: %s", file,
			       strerror(-err));
		return err;
	}
	return ask_recorded(trial, opened, file, out);
}

/* "up=80" in two words; what options.c let through has both. */
static int split_settings(const struct vmadj_options *options, struct vmadj_runner_param *params)
{
	for (size_t i = 0; i < options->n_set; i++) {
		const char *equals = strchr(options->set[i], '=');

		params[i].name = strndup(options->set[i], (size_t)(equals - options->set[i]));
		params[i].value = equals + 1;
		if (!params[i].name)
			return -ENOMEM;
	}
	return 0;
}

int vmadj_policy_check(const struct vmadj_options *options, const char *file, FILE *out)
{
	struct vmadj_runner_param params[VMADJ_SETTINGS_MAX] = { 0 };
	const struct vmadj_runner_options how = {
		.file = file,
		.params = params,
		.n_params = options->n_set,
	};
	struct vmadj_trial trial = { .why = "out of memory" };
	int err = split_settings(options, params);

	if (!err)
		err = vmadj_trial_begin(&trial, &how);
	if (!err) {
		put_info(out, vmadj_runner_info(trial.runner));
		err = ask_all(&trial, options->snapshot, out);
	}
	if (err)
		log_err("%s: %s", file, trial.why);
	vmadj_trial_end(&trial);
	for (size_t i = 0; i < options->n_set; i++)
		free((void *)params[i].name);
	return err ? VMADJ_EXIT_FAILED : VMADJ_EXIT_DONE;
}
