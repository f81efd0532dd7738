/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * served.h - the daemon itself, `vmadjust-bpf run`, with a configuration of the benchmark's
 *
 * It has folders of its own and touches no VM but those that the configuration names.
 *
 * Units:     ns, MiB as named.
 * Errors:    0 or a negative errno, the reason by vmadj_bench_fail() where there is more to say.
 *            -EINTR: the bench is to end.
 * Ownership: vmadj_bench_served_stop() takes a zeroed one; a daemon that is not stopped puts
 *            everything back when this process ends.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct vmadj_bench;

struct vmadj_bench_served {
	pid_t pid; /* 0: none */
	int socket;
	char dir[64]; /* its configuration, its ledger, its log */
};

/**
 * vmadj_bench_served_start() - start it and wait until it answers
 *
 * @config: what comes behind the folders in the section [daemon], and all other sections.
 *
 * Return: 0; -EINTR; -ETIMEDOUT; -EIO: it ended; -errno.
 */
int vmadj_bench_served_start(struct vmadj_bench *bench, const char *config,
			     struct vmadj_bench_served *ret_served);

/** vmadj_bench_served_stop() - it puts everything back; Return: 0; -EIO: it says it could not. */
int vmadj_bench_served_stop(struct vmadj_bench_served *served);

/** vmadj_bench_served_ask() - @vm may be NULL; Return: 0; -EPROTO: refused; -errno. */
int vmadj_bench_served_ask(struct vmadj_bench *bench, struct vmadj_bench_served *served,
			   const char *verb, const char *vm, json_t **ret_answer);

/* The policy @name as it was built, for "file =" of a configuration; Return: as
 * vmadj_bench_output(). */
int vmadj_bench_served_policy(const char *name, char *ret_path, size_t size);

/* Of the daemon and all processes that it started, ended ones too. */
struct vmadj_bench_load {
	uint64_t run_ns;
	size_t processes;
	/* Resident. maps_mib: of the daemon's, what the kernel counts in and it only has mapped.
	 * helper_mib: of the others, the one that talks to libvirt; 0: there is none. */
	double daemon_mib, maps_mib, others_mib, helper_mib;
};

/** vmadj_bench_served_load() - Return: 0; -ESRCH: it has ended; -ENOMEM. */
int vmadj_bench_served_load(const struct vmadj_bench_served *served,
			    struct vmadj_bench_load *ret_load);
