// SPDX-License-Identifier: GPL-2.0-only
/* report.c - one line from the guest to the host */
#include "user/agent/report.h"

#include "user/util/jsonw.h"
#include "user/util/text.h"

/* The protocol's counts are below 2^63; what is not is not known. */
static void put(struct vmadj_jsonw *w, const char *key, uint64_t value)
{
	if (value > INT64_MAX) {
		vmadj_jsonw_null(w, key);
	} else {
		vmadj_jsonw_u64(w, key, value);
	}
}

static void put_mem(struct vmadj_jsonw *w, const struct vmadj_figures *figures)
{
	vmadj_jsonw_open(w, "mem", '{');
	put(w, "total_bytes", figures->total_bytes);
	put(w, "free_bytes", figures->free_bytes);
	put(w, "available_bytes", figures->available_bytes);
	put(w, "cached_bytes", figures->cached_bytes);
	put(w, "active_file_bytes", figures->active_file_bytes);
	put(w, "committed_bytes", figures->committed_bytes);
	vmadj_jsonw_close(w, '}');
}

static void put_vm(struct vmadj_jsonw *w, const struct vmadj_figures *figures)
{
	vmadj_jsonw_open(w, "vm", '{');
	put(w, "refaults", figures->refaults);
	put(w, "swap_in_bytes", figures->swap_in_bytes);
	put(w, "swap_out_bytes", figures->swap_out_bytes);
	put(w, "major_faults", figures->major_faults);
	put(w, "oom_kills", figures->oom_kills);
	put(w, "alloc_stalls", figures->alloc_stalls);
	put(w, "disk_read_bytes", figures->disk_read_bytes);
	vmadj_jsonw_double(w, "psi_some_pct", figures->psi_some_pct, 2);
	vmadj_jsonw_close(w, '}');
}

static void put_cache(struct vmadj_jsonw *w, const struct vmadj_report *report)
{
	if (report->why) {
		vmadj_jsonw_null(w, "cache");
		return;
	}
	vmadj_jsonw_open(w, "cache", '{');
	put(w, "accessed_pages", report->hit_pages + report->miss_pages);
	put(w, "hit_pages", report->hit_pages);
	put(w, "miss_pages", report->miss_pages);
	vmadj_jsonw_close(w, '}');
}

int vmadj_report_line(const struct vmadj_report *report, char **ret_line, size_t *ret_len)
{
	char why[VMADJ_REPORT_WHY_MAX + 1];
	struct vmadj_jsonw w = { 0 };

	vmadj_jsonw_open(&w, NULL, '{');
	vmadj_jsonw_u64(&w, "vmadjust", 1);
	vmadj_jsonw_string(&w, "agent", report->agent);
	vmadj_jsonw_u64(&w, "seq", report->seq);
	vmadj_jsonw_u64(&w, "interval_ms", report->interval_ms);
	vmadj_jsonw_string(&w, "mode", report->why ? "counters" : "trace");
	vmadj_jsonw_string(&w, "why",
			   report->why ? vmadj_escape(report->why, why, sizeof(why)) : NULL);
	put_mem(&w, &report->figures);
	put_vm(&w, &report->figures);
	put_cache(&w, report);
	vmadj_jsonw_close(&w, '}');
	vmadj_jsonw_newline(&w);
	return vmadj_jsonw_finish(&w, ret_line, ret_len);
}
