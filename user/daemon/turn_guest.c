/* SPDX-License-Identifier: GPL-2.0-only */
/* turn_guest.c - what guests say of themselves, and what the host sees of their processes */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/daemon/turn_private.h"
#include "user/guest/sources.h"
#include "user/snapshot/snapshot.h"
#include "user/util/count.h"
#include "user/util/file.h"
#include "user/util/scan.h"

#define SAME_S	   0.05 /* two reports are not closer */
#define PAGE_BYTES 4096

uint64_t vmadj_turn_guest_rss(pid_t pid)
{
	char path[32], text[128];
	const char *at = text;
	uint64_t size, resident;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
	    !vmadj_scan_u64(&at, &size) || !vmadj_scan_u64(&at, &resident))
		return UINT64_MAX;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool read_io(pid_t pid, struct vmadj_managed_io *ret_io)
{
	char path[32], text[512];
	const char *chars_at, *bytes_at;

	(void)snprintf(path, sizeof(path), "/proc/%d/io", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return false;
	chars_at = vmadj_scan_after(text, "rchar:");
	bytes_at = vmadj_scan_after(text, "\nread_bytes:");
	return chars_at && bytes_at && vmadj_scan_u64(&chars_at, &ret_io->chars) &&
	       vmadj_scan_u64(&bytes_at, &ret_io->disk_bytes);
}

/*
 * What the VM's process read of its disks' images: through the host's page cache, and past it,
 * where what went to the disk is more than what the cache brought. rchar counts what it reads of
 * its network, too, and pages count whole for a part of one: the smaller one is right.
 */
static uint64_t io_read_bytes(struct vmadj_managed *managed, const struct vmadj_snap_vm *row)
{
	const struct vmadj_snap_cache *cache = &row->host_cache;
	struct vmadj_managed_io now = { 0 }, then = managed->io;
	uint64_t read, missed, disk;

	if (!cache->known || !read_io(managed->target.pid, &now))
		return UINT64_MAX;
	now.accessed_pages = cache->accessed_pages;
	now.miss_pages = cache->miss_pages;
	now.read_bytes = then.read_bytes;
	if (then.known) {
		read = vmadj_least(vmadj_less(now.accessed_pages, then.accessed_pages) * PAGE_BYTES,
				   vmadj_less(now.chars, then.chars));
		missed = vmadj_less(now.miss_pages, then.miss_pages) * PAGE_BYTES;
		disk = vmadj_less(now.disk_bytes, then.disk_bytes);
		now.read_bytes += read + vmadj_less(disk, missed);
	}
	now.known = true;
	managed->io = now;
	return now.read_bytes;
}

static void take_best(struct vmadj_managed *managed)
{
	managed->guest = vmadj_guest_unknown(NULL);
	if (managed->sources) {
		(void)vmadj_guest_sources_best(managed->sources, vmadj_daemon_now_s(),
					       &managed->guest);
	}
}

/* What comes from the balloon the machine sees itself; it is told of nothing twice. */
static void on_heard(void *userdata)
{
	struct vmadj_managed *managed = userdata;
	double said_s;

	take_best(managed);
	said_s = vmadj_daemon_now_s() - managed->guest.age_s;
	if (!managed->guest.known || !strcmp(managed->guest.source, "balloon") ||
	    said_s < managed->said_s + SAME_S)
		return;
	managed->said_s = said_s;
	vmadj_turn_memory_heard(managed);
}

void vmadj_turn_guest_balloon(struct vmadj_managed *managed, const struct vmadj_guest *guest)
{
	if (managed->sources)
		vmadj_guest_sources_balloon(managed->sources, vmadj_daemon_now_s(), guest);
	take_best(managed);
}

void vmadj_turn_guest_close(struct vmadj_managed *managed)
{
	vmadj_guest_sources_free(managed->sources);
	managed->sources = NULL;
	managed->guest = vmadj_guest_unknown(NULL);
}

static bool has_agent(const struct vmadj_managed *managed)
{
	return managed->guest.known && !strcmp(managed->guest.source, "agent");
}

/* Reading a process's files costs more than all else of a VM in a tick. */
void vmadj_turn_guest_fill(struct vmadj_managed *managed, struct vmadj_snap_vm *row)
{
	bool turned = managed->daemon->memory_turned, is_ours = managed->limits.manage;

	managed->rss_bytes = row->io_read_bytes = UINT64_MAX;
	if (is_ours && !managed->ended && turned)
		managed->rss_bytes = vmadj_turn_guest_rss(managed->target.pid);
	if (is_ours && !managed->ended && (turned || has_agent(managed))) {
		row->io_read_bytes = io_read_bytes(managed, row);
	} else {
		managed->io.known = false;
	}
	take_best(managed);
	row->guest = managed->guest;
}

/* Its command line says once and for all whether there is an agent to be talked to. */
static bool has_sources(struct vmadj_managed *managed)
{
	if (!managed->limits.manage)
		return false;
	if (!managed->asked_port) {
		managed->has_port = vmadj_guest_sources_has_port(&managed->target);
		managed->asked_port = true;
	}
	return managed->has_port || managed->daemon->memory_turned;
}

/* Whoever is not managed is not talked to. */
void vmadj_turn_guest_tick(struct vmadj_managed *managed)
{
	const struct vmadj_managed_memory *memory = managed->memory;
	struct vmadj_daemon *daemon = managed->daemon;
	const struct vmadj_guest_seen seen = {
		.max_bytes = memory && memory->seen_s > 0 ? memory->state.max_bytes
							  : VMADJ_GUEST_UNKNOWN,
		.io_read_bytes = managed->row->io_read_bytes,
	};

	if (!has_sources(managed)) {
		vmadj_turn_guest_close(managed);
		return;
	}
	if (!managed->sources &&
	    vmadj_guest_sources_new(daemon->event, daemon->libvirt, &managed->target, on_heard,
				    managed, &managed->sources))
		return; /* out of memory: with the next tick */
	vmadj_guest_sources_tick(managed->sources, vmadj_daemon_now_s(), &seen);
}
