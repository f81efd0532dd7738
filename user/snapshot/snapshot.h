/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * snapshot.h - everything that is known of the host and its VMs at one tick
 *
 * The one struct that dump, top, metrics and policies read. It is built once a
 * tick by build.c and not changed afterwards; json.c writes it in the form of
 * docs/output.md.
 *
 * Units:     *_ns, *_us, *_pages, *_bytes as named; *_pct is 0..100 where 100
 *            is one CPU (host.cpu_busy_pct: all CPUs together). Bare numbers
 *            are counts. *_ns, *_pages and counts are totals since the observer
 *            attached to that VM and never decrease.
 * Unknown:   a double that is not known is NAN, a string that is not known is
 *            NULL, a block that is not known has known == false. They are
 *            written as null, never as 0.
 * Ownership: a snapshot owns its arrays; the strings belong to the inventory
 *            and live until the next vmadj_snapshot_build().
 * Threads:   a snapshot belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "user/guest/guest.h"

struct vmadj_inventory;
struct vmadj_observer;

#define VMADJ_WAITED_MAX 32 /* culprits a VM in one snapshot; the rest is "other" */

struct vmadj_snap_host {
	const char *kernel;
	unsigned int cpus;
	double load1, load5, load15;
	double cpu_busy_pct;
	double cpu_psi_some_pct; /* avg10; NAN where PSI is off */
	uint64_t mem_total_bytes, mem_available_bytes;
	double mem_psi_some_pct;
};

struct vmadj_snap_waited {
	char who[64]; /* "vm:NAME", "host:COMM", "kernel:COMM", "limit:cpu.max", ... */
	uint64_t wait_ns;
};

struct vmadj_snap_vcpu {
	int id;
	pid_t tid;
	int cpu; /* last seen on; -1 when not known */
	uint64_t run_ns, wait_ns;
	uint64_t switches, preemptions, migrations;
};

struct vmadj_snap_cpu {
	bool known; /* false: this VM's vCPU threads could not be told apart; all is null */
	uint64_t run_ns, wait_ns;
	uint64_t switches, preemptions, migrations;
	uint64_t emulator_run_ns;
	double usage_pct, wait_pct;
	double wait_p50_us, wait_p99_us; /* NAN when no wait ended in the interval */
	bool polled;			 /* the percentiles and waited_for are not known */
	size_t n_waited;
	struct vmadj_snap_waited *waited_for; /* greatest first */
};

struct vmadj_snap_cache {
	bool known;
	uint64_t accessed_pages, hit_pages, miss_pages;
	double hit_pct; /* of the interval; NAN without accesses */
};

/* A knob that is not known has kind == NULL. */
struct vmadj_snap_cpu_knob {
	const char *kind;  /* "cgroup2-weight", "cgroup1-shares", "autogroup", "thread-nice" */
	const char *owner; /* "libvirt", "systemd"; NULL: nobody */
	int nice, original_nice;
	bool effective;
	const char *why_not; /* NULL: it is effective */
};

struct vmadj_snap_balloon_knob {
	const char *kind; /* "libvirt", "qmp" */
	uint64_t actual_bytes, target_bytes, max_bytes, original_bytes;
	bool effective;
	const char *why_not;
	const char *need; /* why it is given memory now, whatever is wished; NULL: it is not */
};

/* What can be turned, how it stands, and the administrator's limits. */
struct vmadj_snap_knobs {
	bool known; /* false: no daemon turns them */
	bool managed;
	int priority, nice_min, nice_max;
	uint64_t mem_min_bytes, mem_max_bytes; /* UINT64_MAX: no limit is set */
	int mem_weight;
	struct vmadj_snap_cpu_knob cpu;
	struct vmadj_snap_balloon_knob balloon;
};

struct vmadj_snap_delta {
	uint64_t run_ns, wait_ns;
	uint64_t accessed_pages, hit_pages, miss_pages;
};

struct vmadj_snap_vm {
	const char *id; /* "PID-STARTTIME" */
	const char *name;
	const char *uuid;    /* NULL: not known */
	const char *vmm;     /* "qemu", "firecracker", ... or the program's name */
	const char *accel;   /* "kvm" or "tcg" */
	const char *manager; /* "libvirt", "proxmox" or NULL */
	const char *note;    /* why something of this VM is not known; NULL: all is */
	bool ended;
	pid_t pid;
	uint64_t start_ticks; /* with the pid it is the id */
	struct vmadj_snap_cpu cpu;
	size_t n_vcpus;
	struct vmadj_snap_vcpu *vcpus; /* by id */
	struct vmadj_snap_cache host_cache;
	uint64_t io_read_bytes; /* a total: what its process has read; UINT64_MAX: not known */
	struct vmadj_guest guest;
	struct vmadj_snap_knobs knobs;
	struct vmadj_snap_delta delta;
};

struct vmadj_snap_observer {
	const char *mode; /* "trace" or "poll" */
	uint64_t lost_events;
	unsigned int vms, vcpus;
};

struct vmadj_snapshot {
	double time_unix_s;
	double interval_s; /* measured; since the observer started for the first one */
	struct vmadj_snap_host host;
	size_t n_vms;
	struct vmadj_snap_vm *vms; /* by pid */
	struct vmadj_snap_observer observer;
	uint64_t mem_vms_bytes; /* what the managed VMs can have together; UINT64_MAX: not known */
};

struct vmadj_snapshot_builder;

/**
 * vmadj_snapshot_builder_new() - what is needed to build snapshots one after the other
 *
 * Return: 0; -ENOMEM; -EIO when /proc/stat or /proc/meminfo cannot be read.
 */
int vmadj_snapshot_builder_new(struct vmadj_inventory *inv,
			       struct vmadj_snapshot_builder **ret_builder);
void vmadj_snapshot_builder_free(struct vmadj_snapshot_builder *builder);

/* Told of each VM once a sample, by pid; fills in what others know of it: guest, knobs. */
typedef void (*vmadj_snapshot_fill)(void *userdata, struct vmadj_snap_vm *row);

/* Told once a sample, after that, of all: fills in what others know of the host. */
typedef void (*vmadj_snapshot_complete)(void *userdata, struct vmadj_snapshot *snapshot);
void vmadj_snapshot_builder_fill_by(struct vmadj_snapshot_builder *builder,
				    vmadj_snapshot_fill fill, vmadj_snapshot_complete complete,
				    void *userdata);

/**
 * vmadj_snapshot_build() - take one sample
 *
 * @ret_snapshot is valid until the next call or until the builder is freed.
 *
 * Return: 0; -ENOMEM; -EIO.
 */
int vmadj_snapshot_build(struct vmadj_snapshot_builder *builder,
			 const struct vmadj_snapshot **ret_snapshot);

/**
 * vmadj_snapshot_to_json() - one JSON document, without the newline at its end
 *
 * Return: 0 and a string that the caller frees in @ret_text, @ret_len bytes; -ENOMEM.
 */
int vmadj_snapshot_to_json(const struct vmadj_snapshot *snapshot, char **ret_text, size_t *ret_len);
