// SPDX-License-Identifier: GPL-2.0-only
/* host.c - load, pressure and memory of the host */
#include "user/snapshot/host.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "user/util/file.h"
#include "user/util/proc_text.h"
#include "user/util/scan.h"

static int read_ticks(struct vmadj_cpu_ticks *ret_ticks)
{
	/* user nice system idle iowait irq softirq steal; guest time is part of user's. */
	uint64_t t[8] = { 0 };
	char text[512];
	const char *at;

	if (vmadj_file_read(AT_FDCWD, "/proc/stat", text, sizeof(text)) < 0)
		return -EIO;
	at = vmadj_scan_after(text, "cpu ");
	for (int i = 0; i < 8; i++) {
		if (!at || !vmadj_scan_u64(&at, &t[i]))
			return -EIO;
	}
	ret_ticks->busy = t[0] + t[1] + t[2] + t[5] + t[6] + t[7];
	ret_ticks->all = ret_ticks->busy + t[3] + t[4];
	return 0;
}

static double psi_some(const char *path)
{
	char text[256];

	return vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) > 0 ? vmadj_proc_psi_some(text)
								       : NAN;
}

static uint64_t meminfo_bytes(const char *text, const char *key)
{
	uint64_t kib;

	return vmadj_proc_value(text, key, &kib) ? kib * 1024 : 0;
}

int vmadj_snap_host_read(struct vmadj_snap_host *host, struct vmadj_cpu_ticks *before)
{
	struct vmadj_cpu_ticks now;
	char text[4096];
	const char *at;
	uint64_t all;

	if (read_ticks(&now) || vmadj_file_read(AT_FDCWD, "/proc/meminfo", text, sizeof(text)) < 0)
		return -EIO;
	host->mem_total_bytes = meminfo_bytes(text, "MemTotal");
	host->mem_available_bytes = meminfo_bytes(text, "MemAvailable");
	all = now.all - before->all;
	host->cpu_busy_pct = all ? 100.0 * (double)(now.busy - before->busy) / (double)all : 0;
	*before = now;
	host->cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	host->cpu_psi_some_pct = psi_some("/proc/pressure/cpu");
	host->mem_psi_some_pct = psi_some("/proc/pressure/memory");
	at = text;
	if (vmadj_file_read(AT_FDCWD, "/proc/loadavg", text, sizeof(text)) < 0 ||
	    !vmadj_scan_double(&at, &host->load1) || !vmadj_scan_double(&at, &host->load5) ||
	    !vmadj_scan_double(&at, &host->load15))
		host->load1 = host->load5 = host->load15 = NAN;
	return 0;
}
