/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * config.h - the administrator's configuration
 *
 *	[daemon]
 *	interval = 1s
 *
 *	[policy loadavg_nice]
 *	armed = yes
 *	up = 90
 *
 *	[vm db*]
 *	priority = 10
 *	memory_min = 2G
 *
 * One table of keys (keys.c) makes parsing, defaults, `run --help`, the man page and the
 * normalised form that `run --check` prints, which parses back to itself. A key of a [policy]
 * section that the table does not have is a parameter of that policy: kept as text, checked by the
 * policy. Of several [vm] sections that match a VM each key counts from the last one that sets it;
 * if a minimum and a maximum of different sections then contradict each other, the one set later
 * stays and the other is moved to it.
 *
 * Units:     seconds and bytes as named.
 * Errors:    what is wrong was logged as "FILE:LINE: what is wrong and what is allowed", all of
 *            it and not the first only (at most 20 lines).
 * Ownership: a configuration owns its texts; vmadj_config_free() takes NULL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "user/util/cleanup.h"

#define VMADJ_CONFIG_FILE	"/etc/vmadjust-bpf/vmadjust-bpf.conf"
#define VMADJ_CONFIG_PARAMS_MAX 64 /* of a policy */
#define VMADJ_CONFIG_BYTES_MAX	(1 << 20)

struct vmadj_config_param {
	char *name, *value;
	unsigned int line;
};

struct vmadj_config_policy {
	char *name;	       /* of the section: letters, digits, "_", "-" */
	char *file;	       /* NULL: NAME.so in daemon.policy_dir */
	bool armed;	       /* false: it only says what it would do */
	double deadline_s;     /* at most the interval */
	uint64_t memory_bytes; /* 64 MiB */
	size_t n_params;
	struct vmadj_config_param *params;
	unsigned int line;
};

/* What holds for the VMs that match. */
struct vmadj_vm_limits {
	bool manage;		       /* true */
	int64_t priority;	       /* 0; -1000..1000 */
	int64_t nice_min;	       /* -10 */
	int64_t nice_max;	       /* 19 */
	uint64_t memory_min_bytes;     /* 0: none */
	uint64_t memory_max_bytes;     /* UINT64_MAX: none */
	uint64_t memory_reserve_bytes; /* 0: automatic */
	double memory_keep_s;	       /* 60; 1..86400 */
	int64_t memory_weight;	       /* 100; 1..10000 */
	char *cpus;		       /* a list as "0-3,8"; NULL: all */
};

struct vmadj_config_vm {
	char *pattern; /* name, id or uuid, with * ? [abc] */
	uint32_t set;  /* which keys this section sets: bit i is row i of its keys */
	struct vmadj_vm_limits limits; /* what is not set: as built in */
	unsigned int line;
};

struct vmadj_config {
	/* [daemon] */
	double interval_s;   /* 1; 0.1..60 */
	int mode;	     /* how the observer counts, enum vmadj_mode: auto */
	double cost_max_pct; /* 1; of the host's CPU time; 0: none */
	double cost_every_s; /* 60; 2..3600 */
	char *state_dir;     /* /var/lib/vmadjust-bpf */
	char *run_dir;	     /* /run/vmadjust-bpf */
	char *policy_dir;    /* LIBDIR/vmadjust-bpf/policies */
	char *policy_user;   /* nobody */
	char *control_group; /* whose members may ask for status and why; NULL: nobody but root */
	char *libvirt_uri;   /* qemu:///system */
	uint64_t memory_in_motion_vms; /* 4: balloons that may shrink at the same time */
	uint64_t memory_step_bytes;    /* 0: automatic */
	uint64_t host_memory_bytes;    /* 0: what the host has */
	uint64_t host_reserve_bytes;   /* 0: automatic */

	size_t n_policies;
	struct vmadj_config_policy *policies; /* in the file's order */
	size_t n_vms;
	struct vmadj_config_vm *vms;
};

/**
 * vmadj_config_load() - read and check a file
 *
 * @path: NULL: the built-in defaults, without policies. A file longer than VMADJ_CONFIG_BYTES_MAX,
 * with a control character or not UTF-8 in it, is refused before it is parsed.
 *
 * Return: 0; -ENOENT: there is none, which is not logged, for only the caller knows whether it was
 * asked for; -EINVAL: wrong, or no regular file, and said so; -EACCES, ...: unreadable, and said
 * so; -ENOMEM.
 */
int vmadj_config_load(const char *path, struct vmadj_config **ret_config);
void vmadj_config_free(struct vmadj_config *config);
VMADJ_DEFINE_CLEANUP(struct vmadj_config, vmadj_config_free)

/* The section of that policy; NULL: there is none. */
const struct vmadj_config_policy *vmadj_config_find_policy(const struct vmadj_config *config,
							   const char *name);

/* Its file, which the caller frees; NULL: out of memory. */
char *vmadj_config_policy_file(const struct vmadj_config *config,
			       const struct vmadj_config_policy *policy);

/**
 * vmadj_config_from_words() - one policy as given on a command line
 *
 * @policy: the name of a section of @config, which then holds but for what @settings
 * ("NAME=VALUE") say; or a file with a slash in its name.
 *
 * Return: 0 and a configuration with that policy alone; -EINVAL: wrong, and said so; -ENOMEM.
 */
int vmadj_config_from_words(const struct vmadj_config *config, const char *policy,
			    const char *const *settings, size_t n,
			    struct vmadj_config **ret_config);

/* The limits of one VM. The text belongs to the configuration. @uuid may be NULL. */
struct vmadj_vm_limits vmadj_config_limits(const struct vmadj_config *config, const char *name,
					   const char *id, const char *uuid);

/** vmadj_config_print() - the normalised form, flushed: every key with its value, of [vm] sections
 * those that are set; Return: 0, -EIO. */
int vmadj_config_print(FILE *out, const struct vmadj_config *config);

/* The keys with section, type, range, default and help, for `run --help`. */
void vmadj_config_print_keys(FILE *out);
