// SPDX-License-Identifier: GPL-2.0-only
/* helper.c - what the process that talks to libvirt takes, with one domain */
#include <errno.h>

#include "tools/bench/daemon/daemon.h"
#include "tools/bench/served.h"

#define SETTLE_MS  5000
#define PIECES	   5
#define PIECE_MS   2000
#define HELPER_MIB 25

/* No policy: that a guest of libvirt's might have an agent is why libvirt is asked. */
static const char config[] = "interval = 1s\n[vm *]\nmanage = no\n"
			     "[vm bench-helper]\nmanage = yes\n";

static int measure(struct vmadj_bench *bench, const struct vmadj_bench_served *served,
		   struct vmadj_bench_series *mib)
{
	struct vmadj_bench_load load;
	int err = vmadj_bench_sleep_ms(SETTLE_MS);

	for (int i = 0; i < PIECES && !err; i++) {
		err = vmadj_bench_sleep_ms(PIECE_MS);
		if (!err)
			err = vmadj_bench_served_load(served, &load);
		if (!err && load.helper_mib <= 0)
			err = vmadj_bench_fail(bench, -ESRCH, "libvirt was not asked");
		if (!err)
			vmadj_bench_series_add(mib, load.helper_mib);
	}
	return err;
}

int vmadj_bench_daemon_helper(struct vmadj_bench *bench)
{
	static const struct vmadj_lab_linux want = { .name = "bench-helper", .agent = true };
	static const struct vmadj_bench_row row = {
		.what = "the process that talks to libvirt, resident",
		.unit = "MiB",
		.sense = VMADJ_BENCH_AT_MOST,
		.bar = HELPER_MIB,
		.worst = true,
	};
	struct vmadj_bench_served served = { .socket = -1 };
	struct vmadj_bench_series mib = { 0 };
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	int err = vmadj_lab_libvirt_start(&want, &vm), stopped;

	if (err)
		return vmadj_bench_fail(bench, err, "%s", vmadj_lab_why());
	err = vmadj_bench_served_start(bench, config, &served);
	if (!err)
		err = measure(bench, &served, &mib);
	stopped = vmadj_bench_served_stop(&served);
	if (!err)
		err = stopped;
	return err ? err : vmadj_bench_report_add(bench->report, &row, &mib);
}
