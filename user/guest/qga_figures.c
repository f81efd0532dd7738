// SPDX-License-Identifier: GPL-2.0-only
/* qga_figures.c - a guest's figures out of its own /proc */
#include "user/guest/qga_figures.h"

#include "user/util/proc_text.h"

#define KIB	   1024
#define PAGE_BYTES 4096

/* @unit: bytes of one. What does not fit is not known. */
static uint64_t times(uint64_t count, uint64_t unit)
{
	uint64_t bytes;

	if (count == VMADJ_GUEST_UNKNOWN || __builtin_mul_overflow(count, unit, &bytes))
		return VMADJ_GUEST_UNKNOWN;
	return bytes;
}

static uint64_t value(const char *text, const char *key, uint64_t unit)
{
	uint64_t count = VMADJ_GUEST_UNKNOWN;

	(void)vmadj_proc_value(text, key, &count);
	return times(count, unit);
}

static uint64_t memory(const char *meminfo, const char *key, uint64_t max_bytes)
{
	uint64_t bytes = value(meminfo, key, KIB);

	return bytes <= max_bytes ? bytes : VMADJ_GUEST_UNKNOWN;
}

/* Before Linux 5.9 there was one count for files and anonymous memory together. */
static uint64_t refaults(const char *vmstat)
{
	uint64_t count = value(vmstat, "workingset_refault_file", 1);

	return count != VMADJ_GUEST_UNKNOWN ? count : value(vmstat, "workingset_refault", 1);
}

bool vmadj_guest_from_proc(const char *meminfo, const char *vmstat, const char *psi,
			   uint64_t max_bytes, struct vmadj_guest *ret_guest)
{
	struct vmadj_guest guest = vmadj_guest_unknown("qemu-ga");
	uint64_t total = memory(meminfo, "MemTotal", max_bytes);

	guest.known = true;
	guest.mem_total_bytes = total;
	guest.mem_free_bytes = memory(meminfo, "MemFree", max_bytes);
	guest.mem_available_bytes = memory(meminfo, "MemAvailable", max_bytes);
	guest.cached_bytes = memory(meminfo, "Cached", max_bytes);
	guest.active_file_bytes = memory(meminfo, "Active(file)", max_bytes);
	/* What is promised may be more than there is. */
	guest.committed_bytes = value(meminfo, "Committed_AS", KIB);
	if (!total || total == VMADJ_GUEST_UNKNOWN || vmadj_guest_contradicts_itself(&guest))
		return false;
	guest.refaults = refaults(vmstat);
	guest.swap_in_bytes = value(vmstat, "pswpin", PAGE_BYTES);
	guest.swap_out_bytes = value(vmstat, "pswpout", PAGE_BYTES);
	guest.major_faults = value(vmstat, "pgmajfault", 1);
	guest.oom_kills = value(vmstat, "oom_kill", 1);
	guest.alloc_stalls = vmadj_proc_sum(vmstat, "allocstall_");
	guest.disk_read_bytes = value(vmstat, "pgpgin", KIB);
	guest.mem_psi_some_pct = vmadj_proc_psi_some(psi);
	*ret_guest = guest;
	return true;
}
