/* SPDX-License-Identifier: GPL-2.0-only */
/* status.c - how the daemon does */
#include "user/daemon/status.h"

#include <string.h>
#include <sys/resource.h>

#include "user/actuate/ledger.h"
#include "user/daemon/cost.h"
#include "user/daemon/daemon.h"
#include "user/observe/observer.h"
#include "user/snapshot/snapshot.h"
#include "user/virt/libvirt.h"

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void write_self(const struct vmadj_daemon *daemon, struct vmadj_jsonw *w)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	vmadj_jsonw_double(w, "uptime_s", vmadj_daemon_now_s() - daemon->started_s, 1);
	vmadj_jsonw_double(w, "cpu_s", seconds(usage.ru_utime) + seconds(usage.ru_stime), 2);
	vmadj_jsonw_u64(w, "max_rss_bytes", (uint64_t)usage.ru_maxrss * 1024);
	vmadj_jsonw_u64(w, "ticks", daemon->pace.ticks);
	vmadj_jsonw_double(w, "tick_last_ms", daemon->pace.last_ms, 2);
	vmadj_jsonw_double(w, "tick_longest_ms", daemon->pace.longest_ms, 2);
	vmadj_jsonw_double(w, "tick_late_ms", daemon->pace.late_ms, 2);
}

static void write_changed(const struct vmadj_daemon *daemon, struct vmadj_jsonw *w)
{
	vmadj_jsonw_open(w, "changed", '[');
	for (size_t i = 0; i < vmadj_ledger_count(daemon->ledger); i++) {
		const struct vmadj_ledger_entry *entry = vmadj_ledger_at(daemon->ledger, i);

		vmadj_jsonw_open(w, NULL, '{');
		vmadj_jsonw_string(w, "vm", entry->vm.name);
		vmadj_jsonw_string(w, "id", entry->vm.id);
		vmadj_jsonw_string(w, "knob", entry->knob);
		vmadj_jsonw_string(w, "kind", entry->kind);
		vmadj_jsonw_string(w, "by", entry->by);
		vmadj_jsonw_string(w, "original", entry->original);
		vmadj_jsonw_string(w, "now", entry->ours);
		vmadj_jsonw_close(w, '}');
	}
	vmadj_jsonw_close(w, ']');
}

void vmadj_status_write(const struct vmadj_daemon *daemon, struct vmadj_jsonw *w)
{
	size_t managed = 0;

	for (size_t i = 0; i < daemon->vms.n; i++)
		managed += daemon->vms.vm[i]->limits.manage;
	vmadj_jsonw_string(w, "config", daemon->config_path);
	vmadj_jsonw_bool(w, "paused", daemon->paused);
	vmadj_jsonw_bool(w, "dry_run", daemon->dry_run);
	vmadj_jsonw_double(w, "interval_s", daemon->config->interval_s, 3);
	write_self(daemon, w);
	vmadj_jsonw_u64(w, "vms", daemon->vms.n);
	vmadj_jsonw_u64(w, "managed", managed);
	vmadj_jsonw_u64(w, "lost_events",
			daemon->snapshot ? daemon->snapshot->observer.lost_events : 0);
	vmadj_jsonw_string(w, "mode", vmadj_mode_names[vmadj_observer_mode(daemon->observer)]);
	vmadj_cost_write(daemon->cost, "cost", w);
	vmadj_jsonw_string(w, "libvirt", vmadj_libvirt_status(daemon->libvirt));
	vmadj_jsonw_bool(w, "ledger_writable", !daemon->ledger_failed);
	vmadj_policies_write(&daemon->policies, "policies", w);
	write_changed(daemon, w);
}

void vmadj_status_write_vm(const struct vmadj_managed *managed, struct vmadj_jsonw *w)
{
	const struct vmadj_vm_limits *limits = &managed->limits;
	const struct vmadj_cpu_place *place = &managed->cpu.place;

	vmadj_jsonw_string(w, "vm", managed->target.name);
	vmadj_jsonw_string(w, "id", managed->target.id);
	vmadj_jsonw_bool(w, "managed", limits->manage);
	vmadj_jsonw_i64(w, "priority", limits->priority);
	vmadj_jsonw_i64(w, "nice_min", limits->nice_min);
	vmadj_jsonw_i64(w, "nice_max", limits->nice_max);
	vmadj_jsonw_string(w, "cpu_kind",
			   managed->cpu.known && place->kind != VMADJ_CPU_NONE
				   ? vmadj_cpu_kind_name(place->kind)
				   : NULL);
	vmadj_jsonw_i64(w, "nice", place->nice);
	vmadj_jsonw_string(w, "cpu_value", place->value);
	vmadj_jsonw_string(w, "cpu_by", managed->cpu.use.by);
	vmadj_jsonw_bool(w, "cpu_theirs", managed->cpu.use.theirs);
	vmadj_jsonw_string(w, "cpu_why_not", managed->cpu.known ? place->why_not : NULL);
	vmadj_jsonw_string(w, "memory_why_not", managed->memory ? managed->memory->why_not : NULL);
}
