/* SPDX-License-Identifier: GPL-2.0-only */
/* test_turn_memory.c - the daemon's side of a guest's need: at once, within the bound, recorded */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/actuate/ledger.h"
#include "user/daemon/turn_private.h"
#include "user/snapshot/snapshot.h"

#define MIB (1ULL << 20)
#define MAX (1024 * MIB)

static char dir[] = "/tmp/vmadj-turn.XXXXXX";
static struct vmadj_config *config;
static struct vmadj_snapshot snapshot;
static struct vmadj_snap_vm rows[2];
static struct vmadj_daemon turner;
static struct vmadj_managed vms[2], *list[2] = { &vms[0], &vms[1] };
static struct vmadj_balloon_fake fakes[2];

static const char *path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void make_vm(int i, const char *id)
{
	struct vmadj_managed *vm = &vms[i];

	*vm = (struct vmadj_managed){
		.daemon = &turner,
		.target = { .id = id, .name = id, .pid = getpid() },
		.row = &rows[i],
		.rss_bytes = UINT64_MAX,
	};
	vm->limits = vmadj_config_limits(config, id, id, NULL);
	vm->limits.memory_min_bytes = 128 * MIB;
	fakes[i] = (struct vmadj_balloon_fake){ .state = { .running = true, .max_bytes = MAX } };
	memset(&fakes[i].state.stats, 0xff, sizeof(fakes[i].state.stats));
	fakes[i].state.stats.actual_bytes = MAX;
	fakes[i].state.stats.last_update_s = 0;
	cr_assert(ne(ptr, vmadj_turn_memory_start(vm), NULL));
	vmadj_balloon_close(vm->memory->balloon);
	cr_assert(
		zero(int, vmadj_balloon_fake_open(turner.event, &fakes[i], &vm->memory->balloon)));
	(void)snprintf(vm->memory->use.by, sizeof(vm->memory->use.by), VMADJ_BY_HAND);
}

static void make(void)
{
	cr_assert(mkdtemp(dir) != NULL);
	cr_assert(zero(int, vmadj_config_load(NULL, &config)));
	turner = (struct vmadj_daemon){ .config = config, .snapshot = &snapshot };
	turner.policies.daemon = &turner;
	turner.vms = (struct vmadj_vms){ .n = 2, .vm = list };
	snapshot.mem_vms_bytes = 2 * MAX;
	cr_assert(ge(int, sd_event_new(&turner.event), 0));
	cr_assert(zero(int, vmadj_ledger_open(path_of("state"), &turner.ledger)));
	make_vm(0, "100-1");
	make_vm(1, "200-1");
}

static void clean(void)
{
	for (int i = 0; i < 2; i++) {
		vmadj_turn_memory_close(&vms[i]);
		vmadj_decisions_clear(&vms[i].decisions);
	}
	vmadj_ledger_close(turner.ledger);
	(void)sd_event_unref(turner.event);
	vmadj_config_free(config);
	(void)unlink(path_of("state/ledger"));
	(void)unlink(path_of("state/ledger.lock"));
	(void)rmdir(path_of("state"));
	(void)rmdir(dir);
}

TestSuite(turn_memory, .init = make, .fini = clean, .timeout = 60);

/* All that can be done now is done; nothing here waits for a beat. */
static void run(void)
{
	while (sd_event_run(turner.event, 0) > 0)
		;
}

static void nap(void)
{
	const struct timespec pause = { .tv_nsec = 200000000 };

	(void)nanosleep(&pause, NULL);
}

/* Its agent reports: it uses 100 MiB, and has stalled so often since it was born. */
static void reports(int i, uint64_t stalls)
{
	struct vmadj_guest *guest = &vms[i].guest;

	*guest = vmadj_guest_unknown("agent");
	guest->known = true;
	guest->mem_available_bytes = fakes[i].state.stats.actual_bytes - 100 * MIB;
	guest->alloc_stalls = stalls;
	vmadj_turn_memory_heard(&vms[i]);
	run();
}

static void beat(void)
{
	nap();
	(void)vmadj_turn_memory_beat(&turner);
	run();
}

static void goes_to(int i, uint64_t bytes)
{
	uint64_t goal;

	for (int n = 0; n < 4; n++)
		beat();
	(void)vmadj_memory_wish(&vms[i].memory->machine, bytes, &goal);
	for (int n = 0; n < 60 && fakes[i].state.stats.actual_bytes > bytes + 32 * MIB; n++) {
		reports(i, 0);
		beat();
	}
	cr_assert(le(u64, fakes[i].state.stats.actual_bytes, bytes + 32 * MIB));
	/* What it says of the time in which it gave memory is no sign. */
	for (int n = 0; n < 12; n++) {
		reports(i, 0);
		beat();
	}
}

Test(turn_memory, a_need_that_is_heard_is_answered_before_any_beat)
{
	goes_to(0, 512 * MIB);
	nap();
	reports(0, 1000);
	cr_assert(eq(u64, fakes[0].state.stats.actual_bytes, MAX));
	cr_assert(eq(u64, fakes[1].state.stats.actual_bytes, MAX), "it is nobody else's");
}

Test(turn_memory, it_is_recorded_as_a_decision_of_the_daemons_own)
{
	const struct vmadj_decision *decision;
	struct vmadj_snap_vm row = { .id = "100-1" };

	goes_to(0, 512 * MIB);
	nap();
	reports(0, 1000);
	decision = vmadj_decisions_find(&vms[0].decisions, turner.serial);
	cr_assert(ne(ptr, (void *)decision, NULL));
	cr_expect(eq(str, (char *)decision->by, "daemon"));
	cr_expect(eq(str, (char *)decision->reason, "the guest's tasks stall for memory"));
	cr_expect(eq(dbl, decision->to, (double)MAX));
	cr_expect(not(decision->pending));
	vmadj_turn_fill(&vms[0], &row);
	cr_expect(ne(ptr, (void *)row.knobs.balloon.need, NULL));
	vmadj_turn_fill(&vms[1], &row);
	cr_expect(eq(ptr, (void *)row.knobs.balloon.need, NULL));
}

Test(turn_memory, without_room_it_has_nothing_and_above_its_due_nothing_of_anothers)
{
	uint64_t before;

	goes_to(0, 512 * MIB);
	before = fakes[0].state.stats.actual_bytes;
	snapshot.mem_vms_bytes = before + MAX;
	nap();
	reports(0, 1000);
	cr_expect(eq(u64, fakes[0].state.stats.actual_bytes, before));
	snapshot.mem_vms_bytes += 100 * MIB;
	nap();
	reports(0, 2000);
	cr_expect(eq(u64, fakes[0].state.stats.actual_bytes, before + 100 * MIB));
}

static struct vmadj_decision wishes(int i, uint64_t bytes)
{
	const struct vmadj_wisher wisher = { .name = "p" };
	const struct vmadj_policy_wish wish = { .value = (double)bytes };
	struct vmadj_turning turning = {
		.managed = &vms[i],
		.wisher = &wisher,
		.wish = &wish,
		.decision = { .serial = ++turner.serial, .knob = "memory" },
	};

	vmadj_turn_memory_wish(&turner, &turning);
	return turning.decision;
}

/* 2 MiB from there a balloon is at rest. */
Test(turn_memory, what_is_wished_again_is_not_done_again)
{
	vms[0].limits.manage = true;
	vms[0].memory->use.by[0] = '\0';
	beat();
	cr_assert(eq(int, wishes(0, 900 * MIB).verdict, VMADJ_VERDICT_ALLOWED));
	cr_assert(eq(str, (char *)wishes(0, 900 * MIB).why, "it is on its way there already"));
	goes_to(0, 900 * MIB);
	fakes[0].state.stats.actual_bytes = 902 * MIB;
	beat();
	cr_assert(eq(str, (char *)wishes(0, 900 * MIB).why, "it is as near to that as it gets"));
	cr_assert(eq(int, wishes(0, 800 * MIB).verdict, VMADJ_VERDICT_ALLOWED));
}

Test(turn_memory, nobody_grows_before_the_host_was_measured)
{
	uint64_t before;

	goes_to(0, 512 * MIB);
	before = fakes[0].state.stats.actual_bytes;
	snapshot.mem_vms_bytes = UINT64_MAX;
	nap();
	reports(0, 1000);
	cr_expect(eq(u64, fakes[0].state.stats.actual_bytes, before));
	snapshot.mem_vms_bytes = 2 * MAX;
	beat();
	cr_expect(eq(u64, fakes[0].state.stats.actual_bytes, MAX));
}

/* In which process's file it would be found is this test's own. */
Test(turn_memory, the_host_is_read_only_while_somebody_turns_memory)
{
	struct vmadj_snap_vm row = { .id = "100-1", .host_cache.known = true };

	vms[0].limits.manage = true;
	vmadj_turn_fill(&vms[0], &row);
	cr_expect(eq(u64, vms[0].rss_bytes, UINT64_MAX));
	cr_expect(eq(u64, row.io_read_bytes, UINT64_MAX));
	vmadj_turn_room_measure(&turner, &snapshot);
	cr_expect(eq(u64, snapshot.mem_vms_bytes, 2 * MAX), "it is left as it was");

	turner.memory_turned = vmadj_turn_memory_is_turned(&turner);
	vmadj_turn_fill(&vms[0], &row);
	cr_expect(ne(u64, vms[0].rss_bytes, UINT64_MAX));
	cr_expect(eq(u64, row.io_read_bytes, 0));
	turner.memory_turned = false;
	vmadj_turn_fill(&vms[0], &row);
	reports(0, 0); /* of an agent */
	vmadj_turn_fill(&vms[0], &row);
	cr_expect(eq(u64, row.io_read_bytes, 0));
	cr_expect(eq(u64, vms[0].rss_bytes, UINT64_MAX));
}

Test(turn_memory, what_one_lacks_of_its_due_another_gives_back)
{
	uint64_t sum;

	goes_to(0, 384 * MIB);
	goes_to(1, 900 * MIB);
	sum = fakes[0].state.stats.actual_bytes + fakes[1].state.stats.actual_bytes;
	snapshot.mem_vms_bytes = sum; /* some 650 MiB are due to each */
	for (uint64_t n = 1; n < 30 && fakes[0].state.stats.actual_bytes < 600 * MIB; n++) {
		reports(0, n * 1000000);
		reports(1, 0);
		beat();
		cr_assert(le(u64,
			     fakes[0].state.stats.actual_bytes + fakes[1].state.stats.actual_bytes,
			     sum));
	}
	cr_expect(ge(u64, fakes[0].state.stats.actual_bytes, 600 * MIB));
	cr_expect(lt(u64, fakes[1].state.stats.actual_bytes, 700 * MIB));
}

Test(turn_memory, what_an_unarmed_policy_wishes_is_not_done_for_a_need_either)
{
	goes_to(0, 512 * MIB);
	vms[0].memory->use.by[0] = '\0';
	nap();
	reports(0, 1000);
	cr_expect(lt(u64, fakes[0].state.stats.actual_bytes, 600 * MIB));
}
