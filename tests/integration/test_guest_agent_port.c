/* SPDX-License-Identifier: GPL-2.0-only */
/* test_guest_agent_port.c - vmadjust-guest in real guests: how it talks with a host */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/lab/require.h"
#include "tests/lib/guest_port.h"

#define MIB (1UL << 20)

static struct vmadj_lab_vm *vm;
static struct vmadj_guest_port *agent, *work;

static void clean_up(void)
{
	vmadj_guest_port_close(agent);
	vmadj_guest_port_close(work);
	vmadj_lab_vm_stop(vm);
}

TestSuite(guest_agent_port, .timeout = 300, .fini = clean_up);

static double seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void start(const struct vmadj_lab_linux *want)
{
	vmadj_lab_require(vmadj_lab_linux_start(want, &vm));
	agent = vmadj_guest_port_open(vmadj_lab_vm_path(vm, VMADJ_LAB_AGENT));
	work = vmadj_guest_port_open(vmadj_lab_vm_path(vm, VMADJ_LAB_SERIAL));
}

static const struct vmadj_lab_linux plain = {
	.load = "filework",
	.agent = true,
	.virtio_serial = true,
};

static void check_counters_only(const char *mode, const char *why)
{
	struct vmadj_lab_linux want = plain;
	struct vmadj_said said;

	want.agent_mode = mode;
	start(&want);
	said = vmadj_guest_port_report(agent);
	cr_expect(eq(str, said.mode, "counters"));
	cr_expect(strstr(said.why, why) != NULL, "why: %s", said.why);
	cr_expect(eq(u64, said.accessed_pages, UINT64_MAX));
	cr_expect(eq(u64, said.hit_pages, UINT64_MAX));
	cr_expect(gt(u64, said.total_bytes, 64 * MIB));
	cr_expect(lt(u64, said.total_bytes, 128 * MIB));
	cr_expect(le(u64, said.available_bytes, said.total_bytes));
	cr_expect(le(u64, said.cached_bytes, said.total_bytes));
	cr_expect(lt(u64, said.alloc_stalls, UINT64_MAX));
}

Test(guest_agent_port, without_the_right_to_bpf_it_says_so_and_reports_what_is_left)
{
	check_counters_only("nobpf", "Operation not permitted");
}

Test(guest_agent_port, without_the_kernels_types_it_says_so_and_reports_what_is_left)
{
	check_counters_only("nobtf", "no BTF");
}

Test(guest_agent_port, a_host_that_comes_again_hears_the_same_agent_go_on)
{
	struct vmadj_said first, again;

	start(&plain);
	first = vmadj_guest_port_report(agent);
	cr_assert(eq(u64, first.interval_ms, 1000));
	for (int i = 0; i < 20; i++) {
		vmadj_guest_port_close(agent);
		agent = vmadj_guest_port_open(vmadj_lab_vm_path(vm, VMADJ_LAB_AGENT));
		/* half a line must not spoil what the next one orders */
		if (i % 2)
			vmadj_guest_port_write(agent, "{\"vmadjust\":1,\"inter");
	}
	again = vmadj_guest_port_report(agent);
	cr_expect(eq(str, again.agent, first.agent));
	cr_expect(gt(u64, again.seq, first.seq));
	cr_expect(eq(str, again.mode, "trace"));
}

Test(guest_agent_port, reports_come_as_often_as_the_host_orders)
{
	struct vmadj_said said;
	double s;

	start(&plain);
	(void)vmadj_guest_port_report(agent);
	vmadj_guest_port_write(agent, "{\"vmadjust\":1,\"interval_ms\":400}\n");
	do {
		said = vmadj_guest_port_report(agent);
	} while (said.interval_ms != 400);
	s = seconds();
	for (int i = 0; i < 10; i++) {
		uint64_t seq = said.seq;

		said = vmadj_guest_port_report(agent);
		cr_expect(eq(u64, said.seq, seq + 1));
	}
	s = seconds() - s;
	cr_expect(ge(dbl, s, 3.0), "never more often: %g s for ten", s);
	/* Orders that are none change nothing. */
	vmadj_guest_port_write(agent, "{\"vmadjust\":1,\"interval_ms\":1}\n[[[[\n\n");
	(void)vmadj_guest_port_report_now(agent);
	cr_expect(eq(u64, vmadj_guest_port_report_now(agent).interval_ms, 400));
}

/* In KiB, of what ps shows as vmadjust-guest. */
static unsigned long resident_kib(void)
{
	unsigned long kib = 0;

	(void)vmadj_guest_port_ask(
		work, "sh grep VmRSS /proc/$(pidof vmadjust-guest)/status | tr -dc 0-9 >/tmp/rss");
	for (unsigned int bit = 1; bit < 1U << 20; bit <<= 1) {
		char line[96];

		(void)snprintf(line, sizeof(line), "sh exit $(($(cat /tmp/rss) / %u %% 2))", bit);
		if (strcmp(vmadj_guest_port_ask(work, line), "status 0") != 0)
			kib |= bit;
	}
	return kib;
}

Test(guest_agent_port, a_host_that_never_reads_neither_blocks_nor_grows_it)
{
	struct vmadj_said first;
	unsigned long before, after;
	uint64_t seq = 0;

	start(&plain);
	first = vmadj_guest_port_report(agent);
	vmadj_guest_port_write(agent, "{\"vmadjust\":1,\"interval_ms\":200}\n");
	before = resident_kib();
	cr_assert(gt(ulong, before, 0));
	cr_expect(lt(ulong, before, 10 * 1024), "%lu KiB resident", before);
	/* Socket, QEMU and port together hold some 300 reports; five a second are made. */
	for (int i = 0; i < 2; i++)
		(void)vmadj_guest_port_ask(work, "sh sleep 45");
	after = resident_kib();
	cr_expect(le(ulong, after, before + 64), "%lu KiB, then %lu", before, after);
	while (vmadj_guest_port_pending(agent, 0)) {
		struct vmadj_said said = vmadj_guest_port_report(agent);

		cr_expect(eq(str, said.agent, first.agent));
		cr_expect(gt(u64, said.seq, seq));
		seq = said.seq;
	}
	cr_expect(lt(u64, seq, 400), "some were dropped");
	cr_expect(eq(str, vmadj_guest_port_report_now(agent).agent, first.agent), "it goes on");
}

Test(guest_agent_port, one_that_is_killed_and_started_again_is_another)
{
	struct vmadj_said first, said;

	start(&plain);
	first = vmadj_guest_port_report(agent);
	cr_assert(eq(str, (char *)vmadj_guest_port_ask(work, "sh killall -9 vmadjust-guest"),
		     "status 0"));
	do {
		said = vmadj_guest_port_report(agent);
	} while (!strcmp(said.agent, first.agent));
	cr_expect(eq(u64, said.seq, 1));
	cr_expect(eq(str, said.mode, "trace"));
}

/* An allocation that has to free memory first is a stall. */
Test(guest_agent_port, distress_is_said_before_its_time)
{
	struct vmadj_said said;
	uint64_t stalls;
	double start_s;

	start(&plain);
	start_s = seconds();
	vmadj_guest_port_write(agent, "{\"vmadjust\":1,\"interval_ms\":60000}\n");
	said = vmadj_guest_port_report(agent);
	stalls = said.alloc_stalls;
	/* It dies of it, in the end. */
	(void)vmadj_guest_port_ask(work, "sh tail /dev/zero >/dev/null 2>&1");
	do {
		said = vmadj_guest_port_report(agent);
	} while (said.alloc_stalls == stalls);
	cr_expect(gt(u64, said.alloc_stalls, stalls));
	cr_expect(eq(u64, said.interval_ms, 60000));
	cr_expect(lt(dbl, seconds() - start_s, 58.0));
}

Test(guest_agent_port, runs_under_libvirt_too)
{
	vmadj_lab_require(vmadj_lab_libvirt_start(&plain, &vm));
	agent = vmadj_guest_port_open(vmadj_lab_vm_path(vm, VMADJ_LAB_AGENT));
	cr_expect(eq(str, vmadj_guest_port_report(agent).mode, "trace"));
}
