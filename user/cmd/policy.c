/* SPDX-License-Identifier: GPL-2.0-only */
/* policy.c - `vmadjust-bpf policy`: which of its parts is asked for; and `policy list` */
#include "user/cmd/policy.h"

#include <errno.h>
#include <fnmatch.h>
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "user/cmd/cmd.h"
#include "user/cmd/exitcode.h"
#include "user/cmd/options.h"
#include "user/cmd/output.h"
#include "user/util/suggest.h"
#include "user/util/wrap.h"
#include "user/policy/paths.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"

#define NAME_WIDTH  20
#define KNOBS_WIDTH 16

static int is_shared_object(const struct dirent *entry)
{
	return fnmatch("*.so", entry->d_name, 0) == 0;
}

static void list_one(FILE *out, const char *dir, const char *name)
{
	const struct vmadj_runner_info *info;
	struct vmadj_runner_options options = { 0 };
	struct vmadj_trial trial;
	char path[PATH_MAX + NAME_MAX + 2], text[NAME_MAX * 4];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	options.file = path;
	if (vmadj_trial_begin(&trial, &options) == 0) {
		info = vmadj_runner_info(trial.runner);
		vmadj_print_wrapped(out, info->summary, NAME_WIDTH + KNOBS_WIDTH,
				    fprintf(out, "%-*s %-*s", NAME_WIDTH - 1, info->name,
					    KNOBS_WIDTH - 1, vmadj_policy_knobs_text(info->knobs)));
	} else {
		vmadj_print_wrapped(out, trial.why, NAME_WIDTH + KNOBS_WIDTH,
				    fprintf(out, "%-*s %-*s", NAME_WIDTH - 1,
					    vmadj_escape(name, text, sizeof(text)), KNOBS_WIDTH - 1,
					    "not usable"));
	}
	vmadj_trial_end(&trial);
}

int vmadj_policy_list(FILE *out)
{
	struct dirent **entries;
	char dir[PATH_MAX];
	int n;

	if (vmadj_policy_dir(dir, sizeof(dir))) {
		log_err("there is no policy folder: neither \"policies\" beside this program nor "
			"\"../lib/vmadjust-bpf/policies\"");
		return VMADJ_EXIT_FAILED;
	}
	n = scandir(dir, &entries, is_shared_object, alphasort);
	if (n < 0) {
		log_err("cannot read %s: %m", dir);
		return VMADJ_EXIT_FAILED;
	}
	(void)fprintf(out, "Policies in %s:\n\n%-*s%-*s%s\n", dir, NAME_WIDTH, "NAME", KNOBS_WIDTH,
		      "TURNS", "WHAT IT DOES");
	for (int i = 0; i < n; i++) {
		list_one(out, dir, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return VMADJ_EXIT_DONE;
}

/* Standard output gets it whole. */
static int run_printing(const struct vmadj_options *options)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int status, printed;

	if (!out) {
		log_err("out of memory");
		return VMADJ_EXIT_FAILED;
	}
	status = options->n_words == 1 ? vmadj_policy_list(out)
				       : vmadj_policy_check(options, options->word[1], out);
	if (fclose(out) != 0) {
		log_err("out of memory");
		return VMADJ_EXIT_FAILED;
	}
	printed = vmadj_output_print(text, len);
	return printed ? printed : status;
}

static bool is_asked(const struct vmadj_options *options, const char *what, size_t n_words)
{
	return options->n_words == n_words && strcmp(options->word[0], what) == 0;
}

int vmadj_cmd_policy(const struct vmadj_options *options)
{
	static const char *const words[] = { "build", "check", "list", NULL };
	const char *meant = options->n_words > 0 ? vmadj_suggest(options->word[0], words) : NULL;
	sigset_t none;

	/* There is nothing here that a signal could leave half done, and compilers want them. */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (is_asked(options, "build", 2))
		return vmadj_policy_build(options->word[1], options->output);
	if (is_asked(options, "check", 2) || is_asked(options, "list", 1))
		return run_printing(options);
	if (meant && strcmp(meant, options->word[0]) != 0) {
		log_err("\"policy %s\" is not known; did you mean \"%s\"?", options->word[0],
			meant);
	} else {
		log_err("give \"policy build FILE.c\", \"policy check FILE.so\" or \"policy list\"");
	}
	return VMADJ_EXIT_USAGE;
}
