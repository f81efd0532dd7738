/* SPDX-License-Identifier: GPL-2.0-only */
/* optable.c - the table of subcommands, options and exit codes; see options.h */
#include "user/bench/pairs.h"
#include "user/cmd/cmd.h"
#include "user/cmd/daemon_client.h"
#include "user/cmd/exitcode.h"
#include "user/cmd/options.h"
#include "user/config/config.h"
#include "user/observe/observer.h"

#define IN(command)    (1U << VMADJ_COMMAND_##command)
#define IN_ALL	       (~0U)
#define FIELD(name)    offsetof(struct vmadj_options, name)
#define INTERVAL_MIN_S 0.1
#define INTERVAL_MAX_S 3600
#define COUNT_MAX      1e15 /* exact in a double, and more than anybody waits for */

const struct vmadj_command vmadj_command_table[] = {
	[VMADJ_COMMAND_DUMP] = {
		.name = "dump",
		.summary = "show every VM: what it gets, and whom it waits for",
		.details =
			"Prints a table of all VMs of this host once an interval: on a terminal in place, "
			"elsewhere one after the other. Where the daemon (run) works, its samples are shown, with "
			"the knobs; else the command observes itself. With --json it prints one JSON document a line "
			"(docs/output.md). A VM that ended since the last sample appears once more, marked. "
			"What is not known is a dash in the table and null in JSON, never 0.",
		.run = vmadj_cmd_dump,
	},
	[VMADJ_COMMAND_DOCTOR] = {
		.name = "doctor",
		.summary = "say what is missing here, what that costs and what to do",
		.details =
			"Tries everything that observing needs, including a self-test against the kernel's "
			"own counters, and leaves nothing behind. The exit status is 0 only when VMs can "
			"be observed here.",
		.run = vmadj_cmd_doctor,
	},
	[VMADJ_COMMAND_RUN] = {
		.name = "run",
		.summary = "observe, and carry out the policies of the configuration",
		.details =
			"Without a policy in the configuration it observes and changes nothing. A policy that "
			"is not armed only says what it would do. Everything that was changed is put back "
			"when it ends, at the next start after a crash, or by vmadjust-bpf restore. SIGHUP "
			"reloads the configuration, SIGTERM and SIGINT end it. See vmadjust-bpf.conf(5).",
		.run = vmadj_cmd_run,
	},
	[VMADJ_COMMAND_CTL] = {
		.name = "ctl",
		.args = "VERB [WORD...]",
		.words_max = 4,
		.summary = "ask the running daemon, or tell it something",
		.details =
			"status: how it does, which policies run, what is changed. why VM: what was decided "
			"on that VM, made and not made, and what came of it. set VM nice N and set VM memory "
			"SIZE: by hand; policies then leave that knob alone. release VM: its knobs are put "
			"back, and are the policies' again. pause, resume: policies change nothing meanwhile. "
			"reload: the configuration anew. policy list, policy load NAME|FILE, policy unload "
			"NAME: a new one is started and checked before the old one stops.",
		.run = vmadj_cmd_ctl,
	},
	[VMADJ_COMMAND_RESTORE] = {
		.name = "restore",
		.summary = "put back what a daemon that is gone had changed",
		.details =
			"Reads the ledger in the state_dir of the configuration. A knob that somebody else "
			"has changed since is left alone.",
		.run = vmadj_cmd_restore,
	},
	[VMADJ_COMMAND_POLICY] = {
		.name = "policy",
		.args = "build FILE.c | check FILE.so | list",
		.words_max = 2,
		.summary = "compile a policy, try one, list those that are installed",
		.details =
			"\"build\" compiles a policy written in C to a shared object. \"check\" loads one as "
			"the daemon does, in a process of its own without rights, prints what it declares, "
			"lets it look at a snapshot and prints what it wishes and why; nothing is changed. "
			"\"list\" prints the policies of the policy folder, and which are not trusted.",
		.run = vmadj_cmd_policy,
	},
	[VMADJ_COMMAND_BENCH] = {
		.name = "bench",
		.args = "overhead [OPTION...]",
		.words_max = 1,
		.summary = "measure what observing costs on this host",
		.details =
			"\"overhead\" loads one CPU for some minutes, in turn with and without what is "
			"compared: an empty BPF program, the observer tracing and polling, and with --kmod "
			"a kernel module that does the same. Medians and quartiles of pairs, so that the "
			"rest of the host weighs on both. The exit status is 0 when all was measured, "
			"whether or not the bars hold. Nothing stays attached, loaded or running.",
		.run = vmadj_cmd_bench,
	},
	[VMADJ_COMMAND_HELP] = {
		.name = "help",
		.args = "[COMMAND]",
		.summary = "explain a command, or the program",
		.run = vmadj_cmd_help,
	},
	[VMADJ_COMMAND_VERSION] = {
		.name = "version",
		.summary = "print the version",
		.run = vmadj_cmd_version,
	},
	{ 0 },
};

/* In the order of enum vmadj_sort, without its first. */
static const char *const sort_keys[] = { "cpu", "wait", "emulator", "hit", "name", "pid", NULL };

const struct vmadj_option vmadj_option_table[] = {
	{
		.name = "json",
		.type = VMADJ_OPTION_FLAG,
		.commands = IN(DUMP) | IN(DOCTOR) | IN(CTL) | IN(BENCH),
		.offset = FIELD(json),
		.help = "print JSON, one document a line, instead of a table for people",
	},
	{
		.name = "interval",
		.type = VMADJ_OPTION_DURATION,
		.commands = IN(DUMP),
		.offset = FIELD(interval_s),
		.min = INTERVAL_MIN_S,
		.max = INTERVAL_MAX_S,
		.arg = "SECONDS",
		.help = "time between two samples, 0.1 to 3600 seconds; \"500ms\" and \"5min\" "
			"are understood, too (default: that of the daemon where one runs, else 1)",
	},
	{
		.name = "count",
		.type = VMADJ_OPTION_COUNT,
		.commands = IN(DUMP),
		.offset = FIELD(count),
		.min = 1,
		.max = COUNT_MAX,
		.arg = "N",
		.help = "end after N samples (default: go on until interrupted)",
	},
	{
		.name = "vm",
		.type = VMADJ_OPTION_PATTERN,
		.commands = IN(DUMP),
		.arg = "PATTERN",
		.help = "only VMs whose name, id or UUID matches, with * ? [abc] as in a shell; "
			"may be given several times",
	},
	{
		.name = "sort",
		.type = VMADJ_OPTION_CHOICE,
		.commands = IN(DUMP),
		.offset = FIELD(sort),
		.arg = "KEY",
		.choices = sort_keys,
		.help = "order of the VMs: cpu, wait, emulator (most first), hit (least first), "
			"name or pid (default: cpu; with --json pid)",
	},
	{
		.name = "mode",
		.type = VMADJ_OPTION_CHOICE,
		.commands = IN(DUMP),
		.offset = FIELD(mode),
		.arg = "MODE",
		.choices = vmadj_mode_names,
		.help = "trace: count at each context switch; poll: once a sample, which costs "
			"nothing a switch, but tells neither wait percentiles nor who was waited for; "
			"auto: trace, unless the host switches so often that it would cost too "
			"much (default: auto; that of the daemon where one runs)",
	},
	{
		.name = "pin-dir",
		.type = VMADJ_OPTION_DIR,
		.commands = IN(DUMP) | IN(DOCTOR) | IN(RUN),
		.offset = FIELD(pin_dir),
		.arg = "DIR",
		.help = "where the maps are pinned while this runs, on a BPF file system "
			"(default: " VMADJ_PIN_DIR ")",
	},
	{
		.name = "config",
		.letter = 'c',
		.type = VMADJ_OPTION_FILE,
		.commands = IN(RUN) | IN(RESTORE),
		.offset = FIELD(config),
		.arg = "FILE",
		.help = "the configuration (default: " VMADJ_CONFIG_FILE
			", and where that is missing "
			"the built-in one)",
	},
	{
		.name = "check",
		.type = VMADJ_OPTION_FLAG,
		.commands = IN(RUN),
		.offset = FIELD(check),
		.help = "check the configuration and its policies, print it in full, and end",
	},
	{
		.name = "dry-run",
		.type = VMADJ_OPTION_FLAG,
		.commands = IN(RUN),
		.offset = FIELD(dry_run),
		.help = "do everything but change something, and say what would be changed",
	},
	{
		.name = "socket",
		.type = VMADJ_OPTION_FILE,
		.commands = IN(CTL) | IN(DUMP),
		.offset = FIELD(socket),
		.arg = "FILE",
		.help = "where the daemon listens (default: " VMADJ_CONTROL_PATH ")",
	},
	{
		.name = "output",
		.letter = 'o',
		.type = VMADJ_OPTION_FILE,
		.commands = IN(POLICY),
		.offset = FIELD(output),
		.arg = "FILE",
		.help = "build: where to (default: FILE.so beside FILE.c)",
	},
	{
		.name = "snapshot",
		.type = VMADJ_OPTION_FILE,
		.commands = IN(POLICY),
		.offset = FIELD(snapshot),
		.arg = "FILE",
		.help = "check: what \"dump --json\" printed, one line or several, instead of a "
			"made-up snapshot; \"-\" is standard input",
	},
	{
		.name = "set",
		.type = VMADJ_OPTION_SETTING,
		.commands = IN(POLICY) | IN(CTL),
		.arg = "NAME=VALUE",
		.help = "policy check, ctl policy load: a parameter of the policy, or a key of its "
			"section; may be given several times",
	},
	{
		.name = "markdown",
		.type = VMADJ_OPTION_FLAG,
		.commands = IN(BENCH),
		.offset = FIELD(markdown),
		.help = "print a Markdown table",
	},
	{
		.name = "kmod",
		.type = VMADJ_OPTION_FILE,
		.commands = IN(BENCH),
		.offset = FIELD(kmod),
		.arg = "FILE",
		.help = "a kernel module to compare with, the vmadj_kmod.ko that \"make kmod\" builds; "
			"it is loaded and unloaded again and again",
	},
	{
		.name = "pairs",
		.type = VMADJ_OPTION_COUNT,
		.commands = IN(BENCH),
		.offset = FIELD(pairs),
		.min = 1,
		.max = VMADJ_BENCH_PAIRS_MAX,
		.arg = "N",
		.help = "measure each comparison so often; fewer than six prove nothing (default: 20)",
	},
	{
		.name = "cpu",
		.type = VMADJ_OPTION_COUNT,
		.commands = IN(BENCH),
		.offset = FIELD(cpu),
		.min = 0,
		.max = COUNT_MAX,
		.arg = "N",
		.help = "the CPU to load (default: the last one that this process may use)",
	},
	{
		.name = "no-color",
		.type = VMADJ_OPTION_FLAG,
		.commands = IN(DUMP) | IN(DOCTOR) | IN(BENCH),
		.offset = FIELD(no_color),
		.help = "no colours; they are used on a terminal only, and not when NO_COLOR is set",
	},
	{
		.name = "verbose",
		.letter = 'v',
		.type = VMADJ_OPTION_LOUDER,
		.commands = IN_ALL,
		.offset = FIELD(log_level),
		.help = "say more on standard error; twice: everything",
	},
	{
		.name = "quiet",
		.letter = 'q',
		.type = VMADJ_OPTION_QUIET,
		.commands = IN_ALL,
		.offset = FIELD(log_level),
		.help = "say nothing but errors on standard error",
	},
	{
		.name = "help",
		.letter = 'h',
		.type = VMADJ_OPTION_HELP,
		.commands = IN_ALL,
		.help = "print this help",
	},
	{
		.name = "version",
		.type = VMADJ_OPTION_VERSION,
		.commands = IN_ALL,
		.help = "print the version",
	},
	{ 0 },
};

const struct vmadj_exit_meaning vmadj_exit_table[] = {
	{ VMADJ_EXIT_DONE, "done; also when SIGINT or SIGTERM asked for the end" },
	{ VMADJ_EXIT_FAILED, "something failed; the message says what" },
	{ VMADJ_EXIT_USAGE, "the command line or the configuration is wrong" },
	{ VMADJ_EXIT_CANNOT_OBSERVE,
	  "this host or these rights do not allow observing (see doctor)" },
	{ VMADJ_EXIT_OUTPUT, "the output could not be written: a closed pipe, a full disk" },
	{ 0, NULL },
};
