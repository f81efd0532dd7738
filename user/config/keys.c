/* SPDX-License-Identifier: GPL-2.0-only */
/* keys.c - the one table of what can be configured */
#include <string.h>

#include "user/config/config_private.h"

/* The Makefile knows PREFIX. */
#ifndef VMADJ_LIBDIR
#define VMADJ_LIBDIR "/usr/local/lib"
#endif

const struct vmadj_config_section vmadj_config_section_table[] = {
	[VMADJ_CONFIG_DAEMON] = { "daemon", NULL, "The daemon itself. At most one such section." },
	[VMADJ_CONFIG_POLICY] = { "policy", "NAME",
				  "A policy that is run, one section each. Without any, nothing is "
				  "changed. Keys that are not listed here are parameters of the "
				  "policy, which checks them." },
	[VMADJ_CONFIG_VM] = { "vm", "PATTERN",
			      "What holds for the VMs whose name, id or UUID matches (* ? [abc]). "
			      "Of several that match, each key counts from the last section that "
			      "sets it." },
	[VMADJ_CONFIG_NO_SECTION] = { NULL, NULL, NULL },
};

#define DAEMON(member) VMADJ_CONFIG_DAEMON, .offset = offsetof(struct vmadj_config, member)
#define POLICY(member) VMADJ_CONFIG_POLICY, .offset = offsetof(struct vmadj_config_policy, member)
#define VM(member)     VMADJ_CONFIG_VM, .offset = offsetof(struct vmadj_vm_limits, member)
#define NAME(n, t)     .name = (n), .type = VMADJ_CONFIG_##t
#define RANGE(lo, hi)  .min = (lo), .max = (hi)
#define WORD(w, value) .word = (w), .word_value = (value)

/* In the order of enum vmadj_mode. */
static const char *const modes[] = { "auto", "trace", "poll", NULL };

#define MIB 0x1p20
#define GIB 0x1p30
#define TIB 0x1p40

const struct vmadj_config_key vmadj_config_key_table[] = {
	{ DAEMON(interval_s), NAME("interval", DURATION), RANGE(0.1, 60), .def = "1s",
	  .help = "The time between two looks at all VMs." },
	{ DAEMON(mode), NAME("mode", CHOICE), .choices = modes, .def = "auto",
	  .help = "How run time and waiting are counted: trace at each context switch; poll once "
		  "an interval, which costs nothing a switch, but tells neither wait percentiles "
		  "nor who was waited for; auto is trace, unless the host switches so often at the "
		  "start that it would cost too much." },
	{ DAEMON(cost_max_pct), NAME("cost_max", PERCENT), RANGE(0.0001, 100), .def = "1%",
	  WORD("none", 0),
	  .help = "How much of the host's CPU time the daemon, what it has started and its BPF "
		  "programs may take. After two measurements above it, mode auto falls back from "
		  "tracing to polling, where that costs less. With none, only \"status\" "
		  "measures." },
	{ DAEMON(cost_every_s), NAME("cost_every", DURATION), RANGE(2, 3600), .def = "60s",
	  .help = "The time between two measurements, of one second each." },
	{ DAEMON(state_dir), NAME("state_dir", PATH), .def = "/var/lib/vmadjust-bpf",
	  .help = "Keeps how everything was before it was changed." },
	{ DAEMON(run_dir), NAME("run_dir", PATH), .def = "/run/vmadjust-bpf",
	  .help = "Holds the socket for \"status\" and \"why\"." },
	{ DAEMON(policy_dir), NAME("policy_dir", PATH),
	  .def = VMADJ_LIBDIR "/vmadjust-bpf/policies",
	  .help = "Where NAME.so of a policy without \"file\" is." },
	{ DAEMON(policy_user), NAME("policy_user", TEXT), .def = "nobody",
	  .help = "The user as whom policies run." },
	{ DAEMON(control_group), NAME("control_group", TEXT), .def = "none", WORD("none", 0),
	  .help = "The group whose members may ask for \"status\" and \"why\"; with none, only "
		  "root." },
	{ DAEMON(libvirt_uri), NAME("libvirt_uri", TEXT), .def = "qemu:///system",
	  .help = "Where libvirt is asked for its VMs." },
	{ DAEMON(memory_in_motion_vms), NAME("memory_in_motion", INTEGER), RANGE(1, 1024),
	  .def = "4", .help = "How many VMs may be giving memory away at the same time." },
	{ DAEMON(memory_step_bytes), NAME("memory_step", BYTES), RANGE(MIB, TIB), .def = "auto",
	  WORD("auto", 0),
	  .help = "How much less memory a VM may get in one step; auto is as much as its guest can "
		  "bear: half of what it can spare." },
	{ DAEMON(host_memory_bytes), NAME("host_memory", BYTES), RANGE(MIB, 1024 * TIB),
	  .def = "all", WORD("all", 0),
	  .help = "How much of the host's memory the VMs and the reserve may have together." },
	{ DAEMON(host_reserve_bytes), NAME("host_reserve", BYTES), RANGE(MIB, 1024 * TIB),
	  .def = "auto", WORD("auto", 0),
	  .help = "What is left to the host of that; auto is the larger one of 256M and a 20th." },

	{ POLICY(armed), NAME("armed", BOOL), .def = "no",
	  .help = "Whether what the policy wishes is done. Otherwise it is only said." },
	{ POLICY(file), NAME("file", PATH), .def = "auto", WORD("auto", 0),
	  .help = "The shared object; auto is NAME.so in policy_dir." },
	{ POLICY(deadline_s), NAME("deadline", DURATION), RANGE(0.01, 60), .def = "auto",
	  WORD("auto", 0),
	  .help = "How long the policy may think, at most the interval; auto is 0.25s, or the "
		  "interval where that is less." },
	{ POLICY(memory_bytes), NAME("memory", BYTES), RANGE(MIB, 16 * GIB), .def = "64M",
	  .help = "How much memory the policy may use." },

	{ VM(manage), NAME("manage", BOOL), .def = "yes",
	  .help = "Whether anything of the VM may be changed." },
	{ VM(priority), NAME("priority", INTEGER), RANGE(-1000, 1000), .def = "0",
	  .help = "How important the VM is: policies favour a higher one." },
	{ VM(nice_min), NAME("nice_min", INTEGER), RANGE(-20, 19), .def = "-10",
	  .help = "The lowest nice value, which is the largest share of CPU time. Lower values "
		  "than -10 can starve services of the host." },
	{ VM(nice_max), NAME("nice_max", INTEGER), RANGE(-20, 19), .def = "19",
	  .help = "The highest nice value." },
	{ VM(memory_min_bytes), NAME("memory_min", BYTES), RANGE(MIB, 1024 * TIB), .def = "none",
	  WORD("none", 0),
	  .help = "The least memory that is left to the VM; with none, half of what it has at "
		  "most." },
	{ VM(memory_max_bytes), NAME("memory_max", BYTES), RANGE(MIB, 1024 * TIB), .def = "none",
	  WORD("none", UINT64_MAX),
	  .help = "The most memory that the VM is given; with none, its own maximum." },
	{ VM(memory_reserve_bytes), NAME("memory_reserve", BYTES), RANGE(MIB, TIB), .def = "auto",
	  WORD("auto", 0),
	  .help = "What is left to the VM beside the memory that it uses; auto is the larger one "
		  "of 64M and a 16th of what it has at most." },
	{ VM(memory_keep_s), NAME("memory_keep", DURATION), RANGE(1, 86400), .def = "60s",
	  .help = "How long memory that the guest needed, or what it read again, is left to it." },
	{ VM(memory_weight), NAME("memory_weight", INTEGER), RANGE(1, 10000), .def = "100",
	  .help = "How large the VM's share is, beside the others', when there is less memory than "
		  "all want." },
	{ VM(cpus), NAME("cpus", CPUS), .def = "all", WORD("all", 0),
	  .help = "The CPUs that the VM may be moved to. Nothing moves VMs yet." },
	{ VMADJ_CONFIG_NO_SECTION, .name = NULL },
};

const struct vmadj_config_key *vmadj_config_keys_of(enum vmadj_config_kind kind)
{
	const struct vmadj_config_key *key = vmadj_config_key_table;

	while (key->kind != kind)
		key++;
	return key;
}

int vmadj_config_defaults(enum vmadj_config_kind kind, void *base)
{
	for (const struct vmadj_config_key *k = vmadj_config_keys_of(kind); k->kind == kind; k++) {
		int err = vmadj_config_key_parse(k, k->def, base);

		if (err)
			return err;
	}
	return 0;
}
