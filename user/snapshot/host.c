// SPDX-License-Identifier: GPL-2.0-only
/* host.c - load, pressure and memory of the host */
#include "user/snapshot/host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/util/file.h"

static int read_ticks(struct vmadj_cpu_ticks *ret_ticks)
{
	/* user nice system idle iowait irq softirq steal; guest time is part of user's. */
	uint64_t t[8] = { 0 };
	char text[512];

	if (vmadj_file_read(AT_FDCWD, "/proc/stat", text, sizeof(text)) < 0)
		return -EIO;
	if (sscanf(text,
		   "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		   " %" SCNu64 " %" SCNu64,
		   &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) < 4)
		return -EIO;
	ret_ticks->busy = t[0] + t[1] + t[2] + t[5] + t[6] + t[7];
	ret_ticks->all = ret_ticks->busy + t[3] + t[4];
	return 0;
}

static double psi_some(const char *path)
{
	char text[256];
	double avg10;

	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return NAN;
	return sscanf(text, "some avg10=%lf", &avg10) == 1 ? avg10 : NAN;
}

static uint64_t meminfo_bytes(const char *text, const char *key)
{
	const char *line = strstr(text, key);
	uint64_t kib;

	return line && sscanf(line + strlen(key), " %" SCNu64 " kB", &kib) == 1 ? kib * 1024 : 0;
}

int vmadj_snap_host_read(struct vmadj_snap_host *host, struct vmadj_cpu_ticks *before)
{
	struct vmadj_cpu_ticks now;
	char text[4096];
	uint64_t all;

	if (read_ticks(&now) || vmadj_file_read(AT_FDCWD, "/proc/meminfo", text, sizeof(text)) < 0)
		return -EIO;
	host->mem_total_bytes = meminfo_bytes(text, "MemTotal:");
	host->mem_available_bytes = meminfo_bytes(text, "MemAvailable:");
	all = now.all - before->all;
	host->cpu_busy_pct = all ? 100.0 * (double)(now.busy - before->busy) / (double)all : 0;
	*before = now;
	host->cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	host->cpu_psi_some_pct = psi_some("/proc/pressure/cpu");
	host->mem_psi_some_pct = psi_some("/proc/pressure/memory");
	if (vmadj_file_read(AT_FDCWD, "/proc/loadavg", text, sizeof(text)) < 0 ||
	    sscanf(text, "%lf %lf %lf", &host->load1, &host->load5, &host->load15) != 3)
		host->load1 = host->load5 = host->load15 = NAN;
	return 0;
}
