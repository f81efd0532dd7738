/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy.h - what a policy is written against
 *
 * A policy looks at one snapshot of the host and its VMs, and says what it wishes, with
 * a reason. It changes nothing itself: the daemon's guard holds every wish against the
 * limits that the administrator configured, and carries out what is left.
 *
 * A policy is one C file that includes this header, and libc's, and exports one symbol:
 *
 *	struct state { double above_pct; };
 *
 *	static void decide(void *state, const struct vmadj_policy_snapshot *now,
 *			   struct vmadj_policy_wishes *wishes)
 *	{
 *		const struct state *my = state;
 *
 *		for (uint32_t i = 0; i < now->n_vms; i++) {
 *			const struct vmadj_policy_vm *vm = vmadj_policy_vm_at(now, i);
 *
 *			if (vm->wait_pct > my->above_pct)
 *				vmadj_wish_nice(wishes, vm, vm->nice - 1, "waits %.0f %% of the
 *time", vm->wait_pct);
 *		}
 *	}
 *
 *	static const struct vmadj_policy_param params[] = {
 *		{ "above", VMADJ_PARAM_REAL, offsetof(struct state, above_pct), 20, 0, 100, "%",
 *		  "how long a VM may wait before it gets more" },
 *		{ 0 },
 *	};
 *
 *	const struct vmadj_policy_ops vmadj_policy = {
 *		VMADJ_POLICY_HEADER,
 *		.name = "patience", .summary = "more for who waits", .knobs = VMADJ_KNOB_CPU,
 *		.params = params, .state_size = sizeof(struct state), .decide = decide,
 *	};
 *
 * It runs in a process of its own, without rights: no files, no network, no other process, a
 * limit of memory, and of time for each decide(). What breaks these ends the process, and after
 * several times the policy; what it had changed is then restored.
 *
 * Units:     *_ns, *_us, *_s, *_bytes, *_pages as named; *_pct 0..100, 100 is one CPU
 *            (cpu_busy_pct and load*_pct: all CPUs together). Bare numbers are counts.
 * Unknown:   a real number is NAN, a count VMADJ_UNKNOWN, a nice value VMADJ_NICE_UNKNOWN,
 *            a text empty. Comparisons with NAN are false.
 * Ownership: the snapshot is read-only and valid within decide() only.
 */
#ifndef VMADJ_POLICY_H
#define VMADJ_POLICY_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define VMADJ_POLICY_ABI 1 /* raised when a meaning changes */

#define VMADJ_UNKNOWN	   UINT64_MAX
#define VMADJ_NICE_UNKNOWN INT32_MIN

/* What can be wished for; a policy declares which it wants to turn. */
#define VMADJ_KNOB_NONE	  0U	    /* a wish of this kind says why nothing is wished for */
#define VMADJ_KNOB_CPU	  (1U << 0) /* the share of CPU time that a nice value means, -20..19 */
#define VMADJ_KNOB_MEMORY (1U << 1) /* the balloon's target: bytes that the guest has */

struct vmadj_policy_vm {
	char id[48];   /* unique since boot */
	char name[64]; /* cut where it is longer */
	char uuid[40];
	char manager[16]; /* "libvirt", "proxmox" or empty */
	int32_t pid;
	uint32_t vcpus;

	/* CPU; the interval's, and totals since the observer met the VM */
	double usage_pct, wait_pct;
	double wait_p50_us, wait_p99_us;
	uint64_t run_ns, wait_ns, delta_run_ns, delta_wait_ns;
	/* for whom it waited most so far: "vm:NAME", "host:COMM", ...; empty: nobody, not known */
	char waited_for[64];

	/* the host's page cache, in the interval */
	uint64_t accessed_pages, hit_pages, miss_pages;
	double hit_pct;

	/* what may be turned, within which limits, and how it stands */
	uint32_t knobs; /* VMADJ_KNOB_* that can be turned and have an effect; 0 where unmanaged */
	int32_t priority; /* the administrator's: more is more important, 0 where none is set */
	int32_t nice, nice_min, nice_max;
	uint64_t mem_bytes;		       /* what the guest has now */
	uint64_t mem_target_bytes;	       /* what it is on its way to; mem_bytes at rest */
	uint64_t mem_min_bytes, mem_max_bytes; /* limits of the administrator, else of the VM */

	/* what the guest says of itself; believe it as far as you would a stranger */
	char guest_source[16]; /* "balloon", "qemu-ga", "agent", or empty: nothing is known */
	double guest_age_s;
	uint64_t guest_total_bytes, guest_free_bytes, guest_available_bytes;
	uint64_t guest_cached_bytes, guest_active_file_bytes, guest_committed_bytes;
	uint64_t guest_swap_in_bytes, guest_swap_out_bytes;
	uint64_t guest_major_faults, guest_refaults, guest_oom_kills;
	uint64_t guest_alloc_stalls;	/* times that a task of its had to free memory itself */
	uint64_t guest_disk_read_bytes; /* from its disks */
	double guest_mem_psi_some_pct;	/* avg10 */
	/* its own page cache, in pages of 4096 bytes: totals, of files on disks; of an agent */
	uint64_t guest_accessed_pages, guest_hit_pages, guest_miss_pages;

	/* what the host saw its process read, from disks and from the host's cache; a total; known
	 * while memory is turned, or an agent reports */
	uint64_t io_read_bytes;
	uint32_t mem_weight; /* the administrator's, 1..10000: whose share is how large */
	uint32_t pad;
	char mem_need[80]; /* why the guest is being given memory now, whatever is wished; or empty
			    */
};

struct vmadj_policy_snapshot {
	uint32_t abi, size; /* of this head */
	uint32_t vm_size;   /* of one VM: later versions append */
	uint32_t n_vms;
	uint64_t seq;
	double time_unix_s;
	double monotonic_s; /* for a policy's own intervals: never goes back */
	double interval_s;
	uint32_t cpus;
	uint32_t pad;
	double load1, load5, load15; /* as in /proc/loadavg */
	double cpu_busy_pct, cpu_psi_some_pct, mem_psi_some_pct;
	uint64_t mem_total_bytes, mem_available_bytes;
	uint64_t mem_vms_bytes; /* what its managed VMs can have together: the guard holds to it */
				/* n_vms VMs of vm_size bytes each follow, by pid */
};

static inline const struct vmadj_policy_vm *vmadj_policy_vm_at(
	const struct vmadj_policy_snapshot *now, uint32_t i)
{
	return (const struct vmadj_policy_vm *)((const char *)now + now->size +
						(size_t)i * now->vm_size);
}

/* --- wishes ------------------------------------------------------------- */

struct vmadj_policy_wish {
	char vm[48]; /* id */
	uint32_t knob;
	uint32_t pad;
	double value; /* a nice value, or bytes */
	char reason[160];
};

struct vmadj_policy_wishes {
	uint64_t seq; /* of the snapshot */
	uint32_t n;   /* may exceed max: then too much was wished for, and all is refused */
	uint32_t max;
	struct vmadj_policy_wish wish[];
};

/* NOLINTNEXTLINE(readability-function-size): its parameters are what a wish has */
__attribute__((format(printf, 5, 0))) static inline void vmadj_wishv(
	struct vmadj_policy_wishes *wishes, const struct vmadj_policy_vm *vm, uint32_t knob,
	double value, const char *reason, va_list args)
{
	struct vmadj_policy_wish *wish = &wishes->wish[wishes->n];

	if (wishes->n++ >= wishes->max)
		return;
	memcpy(wish->vm, vm->id, sizeof(wish->vm));
	wish->knob = knob;
	wish->value = value;
	(void)vsnprintf(wish->reason, sizeof(wish->reason), reason, args);
}

/* This VM shall have the share that @nice means. */
__attribute__((format(printf, 4, 5))) static inline void vmadj_wish_nice(
	struct vmadj_policy_wishes *wishes, const struct vmadj_policy_vm *vm, double nice,
	const char *reason, ...)
{
	va_list args;

	va_start(args, reason);
	vmadj_wishv(wishes, vm, VMADJ_KNOB_CPU, nice, reason, args);
	va_end(args);
}

/* This VM shall have that much memory; the guard goes there in steps that the guest can bear. */
__attribute__((format(printf, 4, 5))) static inline void vmadj_wish_memory(
	struct vmadj_policy_wishes *wishes, const struct vmadj_policy_vm *vm, double bytes,
	const char *reason, ...)
{
	va_list args;

	va_start(args, reason);
	vmadj_wishv(wishes, vm, VMADJ_KNOB_MEMORY, bytes, reason, args);
	va_end(args);
}

/* Nothing is wished for this VM, and why: `vmadjust-bpf ctl why` shows it. */
__attribute__((format(printf, 3, 4))) static inline void vmadj_wish_nothing(
	struct vmadj_policy_wishes *wishes, const struct vmadj_policy_vm *vm, const char *reason,
	...)
{
	va_list args;

	va_start(args, reason);
	vmadj_wishv(wishes, vm, VMADJ_KNOB_NONE, 0, reason, args);
	va_end(args);
}

/* --- the policy itself -------------------------------------------------- */

enum vmadj_policy_param_type {
	VMADJ_PARAM_INT = 1, /* whole */
	VMADJ_PARAM_REAL,
	VMADJ_PARAM_SECONDS, /* "90", "500ms", "5min" */
	VMADJ_PARAM_BYTES,   /* "64M", "2G"; powers of 1024 */
	VMADJ_PARAM_BOOL,    /* yes or no: 1 or 0 */
};

/* Whatever the type, the place at @offset of the state is a double. The list ends with { 0 }. */
struct vmadj_policy_param {
	const char *name; /* lower case, digits, "_": the key in the policy's section */
	enum vmadj_policy_param_type type;
	size_t offset;
	double def, min, max;
	const char *unit; /* for people; NULL: none */
	const char *help;
};

struct vmadj_policy_ops {
	uint32_t abi;  /* VMADJ_POLICY_ABI */
	uint32_t size; /* of this table: it may grow */
	const char *name;
	const char *summary;
	uint32_t knobs; /* what it wants to turn; two policies may not share one */
	const struct vmadj_policy_param *params; /* NULL: none */
	size_t state_size; /* zeroed, with the parameters written into it, kept between ticks */

	/* mandatory */
	void (*decide)(void *state, const struct vmadj_policy_snapshot *now,
		       struct vmadj_policy_wishes *wishes);
};

#define VMADJ_POLICY_HEADER .abi = VMADJ_POLICY_ABI, .size = sizeof(struct vmadj_policy_ops)

/* The one symbol that a policy exports. */
extern const struct vmadj_policy_ops vmadj_policy;

#endif
