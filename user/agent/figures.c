// SPDX-License-Identifier: GPL-2.0-only
/* figures.c - what this guest's kernel says of its memory */
#include "user/agent/figures.h"

#include <fcntl.h>
#include <unistd.h>

#include "user/util/file.h"
#include "user/util/proc_text.h"

/* /proc/vmstat has 4 to 8 KiB, and grows with each release. */
#define TEXT_MAX 32768

/* @text's number, in units of @unit bytes or times; what has no room is unknown. */
static uint64_t times(const char *text, const char *key, uint64_t unit)
{
	uint64_t value;

	if (!vmadj_proc_value(text, key, &value) || __builtin_mul_overflow(value, unit, &value))
		return VMADJ_FIGURE_UNKNOWN;
	return value;
}

void vmadj_figures_meminfo(struct vmadj_figures *figures, const char *text)
{
	figures->total_bytes = times(text, "MemTotal", 1024);
	figures->free_bytes = times(text, "MemFree", 1024);
	figures->available_bytes = times(text, "MemAvailable", 1024);
	figures->cached_bytes = times(text, "Cached", 1024);
	figures->active_file_bytes = times(text, "Active(file)", 1024);
	figures->committed_bytes = times(text, "Committed_AS", 1024);
}

void vmadj_figures_vmstat(struct vmadj_figures *figures, const char *text, uint64_t page_bytes)
{
	figures->refaults = times(text, "workingset_refault_file", 1);
	figures->swap_in_bytes = times(text, "pswpin", page_bytes);
	figures->swap_out_bytes = times(text, "pswpout", page_bytes);
	figures->major_faults = times(text, "pgmajfault", 1);
	figures->oom_kills = times(text, "oom_kill", 1);
	figures->alloc_stalls = vmadj_proc_sum(text, "allocstall_");
	figures->disk_read_bytes = times(text, "pgpgin", 1024);
}

/* The empty string where it cannot be read. */
static const char *read_text(const char *path)
{
	static char text[TEXT_MAX];

	(void)vmadj_file_read(AT_FDCWD, path, text, sizeof(text));
	return text;
}

void vmadj_figures_read_vm(struct vmadj_figures *figures)
{
	vmadj_figures_vmstat(figures, read_text("/proc/vmstat"), (uint64_t)sysconf(_SC_PAGESIZE));
}

void vmadj_figures_read_mem(struct vmadj_figures *figures)
{
	vmadj_figures_meminfo(figures, read_text("/proc/meminfo"));
	figures->psi_some_pct = vmadj_proc_psi_some(read_text("/proc/pressure/memory"));
}
