// SPDX-License-Identifier: GPL-2.0-only
/* test_guest_proc.c - figures out of a guest's /proc: taken, unknown, or not believed */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "user/guest/qga_figures.h"

#define KIB	1024ULL
#define MAX	(1000 * KIB)
#define UNKNOWN VMADJ_GUEST_UNKNOWN

#define MEMINFO                                                                          \
	"MemTotal:         900 kB\nMemFree:          100 kB\nMemAvailable:     600 kB\n" \
	"Buffers:            5 kB\nCached:           500 kB\nSwapCached:         7 kB\n" \
	"Active(file):     300 kB\nCommitted_AS:    5000 kB\n"
#define VMSTAT                                                             \
	"pgpgin 11\npgpgout 5\npswpin 2\npswpout 3\nallocstall_dma 1\n"    \
	"allocstall_normal 4\npgmajfault 8\nworkingset_refault_anon 100\n" \
	"workingset_refault_file 9\noom_kill 6\n"
#define PSI \
	"some avg10=1.50 avg60=2.00 avg300=3.00 total=4\nfull avg10=9.00 avg60=0 avg300=0 total=0\n"

TestSuite(guest_proc, .timeout = 20);

Test(guest_proc, figures_are_taken_in_bytes)
{
	struct vmadj_guest guest;

	cr_assert(vmadj_guest_from_proc(MEMINFO, VMSTAT, PSI, MAX, &guest));
	cr_expect(guest.known);
	cr_expect(eq(str, (char *)guest.source, "qemu-ga"));
	cr_expect(eq(u64, guest.mem_total_bytes, 900 * KIB));
	cr_expect(eq(u64, guest.mem_free_bytes, 100 * KIB));
	cr_expect(eq(u64, guest.mem_available_bytes, 600 * KIB));
	cr_expect(eq(u64, guest.cached_bytes, 500 * KIB));
	cr_expect(eq(u64, guest.active_file_bytes, 300 * KIB));
	cr_expect(eq(u64, guest.committed_bytes, 5000 * KIB), "more than there is may be promised");
	cr_expect(eq(u64, guest.refaults, 9));
	cr_expect(eq(u64, guest.swap_in_bytes, 2 * 4096));
	cr_expect(eq(u64, guest.swap_out_bytes, 3 * 4096));
	cr_expect(eq(u64, guest.major_faults, 8));
	cr_expect(eq(u64, guest.oom_kills, 6));
	cr_expect(eq(u64, guest.alloc_stalls, 5));
	cr_expect(eq(u64, guest.disk_read_bytes, 11 * KIB));
	cr_expect(epsilon_eq(dbl, guest.mem_psi_some_pct, 1.5, 1e-9));
	cr_expect(not(guest.cache.known));
}

Test(guest_proc, what_is_not_told_is_not_known)
{
	struct vmadj_guest guest;

	cr_assert(vmadj_guest_from_proc("MemTotal: 900 kB\n", "", "", UNKNOWN, &guest));
	cr_expect(eq(u64, guest.mem_available_bytes, UNKNOWN));
	cr_expect(eq(u64, guest.committed_bytes, UNKNOWN));
	cr_expect(eq(u64, guest.refaults, UNKNOWN));
	cr_expect(eq(u64, guest.swap_in_bytes, UNKNOWN));
	cr_expect(eq(u64, guest.alloc_stalls, UNKNOWN));
	cr_expect(eq(u64, guest.disk_read_bytes, UNKNOWN));
	cr_expect(isnan(guest.mem_psi_some_pct));
}

Test(guest_proc, older_kernels_count_refaults_together)
{
	struct vmadj_guest guest;

	cr_assert(vmadj_guest_from_proc(MEMINFO, "workingset_refault 12\n", "", MAX, &guest));
	cr_expect(eq(u64, guest.refaults, 12));
}

Test(guest_proc, what_overflows_is_not_known)
{
	struct vmadj_guest guest;

	cr_assert(vmadj_guest_from_proc(
		MEMINFO,
		"pgpgin 18446744073709551615\npswpin 9007199254740993\n"
		"allocstall_a 18446744073709551615\nallocstall_b 1\npgmajfault -5\n",
		"some avg10=100.01 x", MAX, &guest));
	cr_expect(eq(u64, guest.disk_read_bytes, UNKNOWN));
	cr_expect(eq(u64, guest.swap_in_bytes, UNKNOWN));
	cr_expect(eq(u64, guest.alloc_stalls, UNKNOWN));
	cr_expect(eq(u64, guest.major_faults, UNKNOWN));
	cr_expect(isnan(guest.mem_psi_some_pct));
}

Test(guest_proc, what_cannot_be_is_not_believed)
{
	static const char *const cases[] = {
		"",
		"MemTotal: 0 kB\n",
		"MemTotal: 1001 kB\n",
		"MemTotal: 18446744073709551615 kB\n",
		"MemTotal: 18014398509481985 kB\n", /* 2^54 + 1: 1 KiB once it has overflowed */
		"MemFree: 5 kB\n",
		"MemTotal: 900 kB\nMemFree: 901 kB\n",
		"MemTotal: 900 kB\nMemAvailable: 901 kB\n",
		"MemTotal: 900 kB\nCached: 901 kB\n",
		"MemTotal: 900 kB\nActive(file): 901 kB\n",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vmadj_guest guest = { .oom_kills = 77 };

		cr_expect(not(vmadj_guest_from_proc(cases[i], VMSTAT, PSI, MAX, &guest)), "%s",
			  cases[i]);
		cr_expect(eq(u64, guest.oom_kills, 77), "left alone");
	}
}

Test(guest_proc, more_than_the_vm_has_is_not_known)
{
	struct vmadj_guest guest;

	cr_assert(vmadj_guest_from_proc("MemTotal: 900 kB\nMemFree: 1001 kB\n", VMSTAT, PSI, MAX,
					&guest));
	cr_expect(eq(u64, guest.mem_free_bytes, UNKNOWN));
}
