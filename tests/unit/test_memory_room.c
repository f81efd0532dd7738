/* SPDX-License-Identifier: GPL-2.0-only */
/* test_memory_room.c - who may have what of the host's memory */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "user/actuate/memory_room.h"

#define MIB  (1ULL << 20)
#define GIB  (1ULL << 30)
#define STAY UINT64_MAX

TestSuite(memory_room, .timeout = 10);

static struct vmadj_room_vm vm(uint64_t size, uint64_t original, uint64_t want, bool need)
{
	return (struct vmadj_room_vm){ .size_bytes = size,
				       .original_bytes = original,
				       .want_bytes = want,
				       .weight = 100,
				       .need = need };
}

Test(memory_room, the_budget_is_what_is_configured_less_the_reserve)
{
	struct vmadj_room_host host = {
		.total_bytes = 64 * GIB,
		.available_bytes = 60 * GIB,
		.memory_bytes = 10 * GIB,
		.reserve_bytes = GIB,
	};

	cr_expect(eq(u64, vmadj_room_budget(&host), 9 * GIB));
	host.reserve_bytes = 0;
	cr_expect(eq(u64, vmadj_room_budget(&host), 10 * GIB - 10 * GIB / 20));
	host.memory_bytes = GIB;
	cr_expect(eq(u64, vmadj_room_budget(&host), GIB - 256 * MIB));
	host.memory_bytes = 100 * MIB;
	cr_expect(eq(u64, vmadj_room_budget(&host), 0));
}

Test(memory_room, the_budget_is_not_more_than_the_host_has)
{
	struct vmadj_room_host host = {
		.total_bytes = 64 * GIB,
		.available_bytes = 2 * GIB,
		.resident_bytes = 10 * GIB,
		.reserve_bytes = GIB,
	};

	cr_expect(eq(u64, vmadj_room_budget(&host), 11 * GIB), "others have the rest");
	host.memory_bytes = 200 * GIB;
	cr_expect(eq(u64, vmadj_room_budget(&host), 11 * GIB));
	host.memory_bytes = 0;
	host.resident_bytes = 100 * GIB;
	cr_expect(eq(u64, vmadj_room_budget(&host), 63 * GIB));
}

Test(memory_room, who_fits_gets_all)
{
	struct vmadj_room_vm vms[] = { vm(100, 100, 300, false), vm(200, 200, 400, true),
				       vm(50, 50, 0, false) };

	vmadj_room_share(vms, 3, 1000);
	cr_expect(eq(u64, vms[0].grant_bytes, 300));
	cr_expect(eq(u64, vms[1].grant_bytes, 400));
	cr_expect(eq(u64, vms[2].grant_bytes, 50));
	for (int i = 0; i < 3; i++) {
		cr_expect(eq(u64, vms[i].due_bytes, vms[i].original_bytes));
		cr_expect(eq(u64, vms[i].back_bytes, STAY));
	}
}

Test(memory_room, needs_come_before_wishes)
{
	struct vmadj_room_vm vms[] = { vm(100, 100, 500, false), vm(100, 100, 250, true) };

	vmadj_room_share(vms, 2, 400);
	cr_expect(eq(u64, vms[1].grant_bytes, 250));
	cr_expect(eq(u64, vms[0].grant_bytes, 150));
}

Test(memory_room, needs_share_by_weight)
{
	struct vmadj_room_vm vms[] = { vm(100, 100, 1000, true), vm(100, 100, 1000, true),
				       vm(100, 100, 110, true) };

	vms[0].weight = 300;
	vmadj_room_share(vms, 3, 300 + 410);
	cr_expect(eq(u64, vms[0].grant_bytes, 100 + 300));
	cr_expect(eq(u64, vms[1].grant_bytes, 100 + 100));
	cr_expect(eq(u64, vms[2].grant_bytes, 110), "and no more than it wants");
}

Test(memory_room, beyond_the_budget_nobody_grows_and_nobody_is_robbed)
{
	struct vmadj_room_vm vms[] = { vm(600, 600, 700, false), vm(600, 600, 700, false) };

	vmadj_room_share(vms, 2, 1000);
	for (int i = 0; i < 2; i++) {
		cr_expect(eq(u64, vms[i].grant_bytes, 600));
		cr_expect(eq(u64, vms[i].due_bytes, 500));
		cr_expect(eq(u64, vms[i].back_bytes, STAY));
	}
}

Test(memory_room, a_giver_in_need_has_its_due_back)
{
	struct vmadj_room_vm vms[] = { vm(200, 800, 800, true), vm(800, 800, 0, false) };

	vmadj_room_share(vms, 2, 1000);
	cr_expect(eq(u64, vms[0].grant_bytes, 200), "not before the other has given it");
	cr_expect(eq(u64, vms[1].back_bytes, 500));
	vms[1].size_bytes = 700; /* on its way */
	vmadj_room_share(vms, 2, 1000);
	cr_expect(eq(u64, vms[0].grant_bytes, 300));
	cr_expect(eq(u64, vms[1].back_bytes, 500));
	vms[0].size_bytes = vms[1].size_bytes = 500;
	vmadj_room_share(vms, 2, 1000);
	cr_expect(eq(u64, vms[1].back_bytes, STAY));
}

Test(memory_room, the_largest_excess_gives_first)
{
	struct vmadj_room_vm vms[] = { vm(100, 300, 300, true), vm(400, 300, 0, false),
				       vm(500, 300, 0, false), vm(250, 300, 0, false) };

	vmadj_room_share(vms, 4, 1250);
	cr_expect(eq(u64, vms[2].back_bytes, 300));
	cr_expect(eq(u64, vms[1].back_bytes, STAY));
	vms[2].least_bytes = 450;
	vmadj_room_share(vms, 4, 1250);
	cr_expect(eq(u64, vms[1].back_bytes, 300), "what the other uses is not taken");
	cr_expect(eq(u64, vms[2].back_bytes, 450));
	cr_expect(eq(u64, vms[3].back_bytes, STAY), "it has less than it is due");
}

Test(memory_room, nobody_in_need_gives)
{
	struct vmadj_room_vm vms[] = { vm(100, 300, 300, true), vm(500, 300, 0, true) };

	vmadj_room_share(vms, 2, 600);
	cr_expect(eq(u64, vms[1].back_bytes, STAY));
}

/* Endless demand: one guest's word takes nothing that is another's. */
Test(memory_room, above_its_due_nobody_gets_from_others)
{
	struct vmadj_room_vm vms[] = { vm(300, 300, 10000, true), vm(500, 300, 0, false),
				       vm(200, 400, 0, false) };

	vmadj_room_share(vms, 3, 1000);
	cr_expect(eq(u64, vms[0].grant_bytes, 300));
	cr_expect(eq(u64, vms[1].back_bytes, STAY));
	cr_expect(eq(u64, vms[2].back_bytes, STAY));
}

Test(memory_room, due_is_by_weight)
{
	struct vmadj_room_vm vms[] = { vm(300, 800, 0, false), vm(300, 800, 0, false) };

	vms[0].weight = 200;
	vmadj_room_share(vms, 2, 900);
	cr_expect(eq(u64, vms[0].due_bytes, 600));
	cr_expect(eq(u64, vms[1].due_bytes, 300));
	vms[0].original_bytes = 400;
	vmadj_room_share(vms, 2, 900);
	cr_expect(eq(u64, vms[0].due_bytes, 400));
	cr_expect(eq(u64, vms[1].due_bytes, 500), "what one does not want is the other's");
}

static uint64_t dice(unsigned int *seed, uint64_t below)
{
	return (uint64_t)rand_r(seed) % below;
}

Test(memory_room, whatever_is_wanted_the_budget_holds)
{
	unsigned int seed = 1;

	for (int round = 0; round < 20000; round++) {
		struct vmadj_room_vm vms[8];
		size_t n = 1 + dice(&seed, 8);
		uint64_t budget = dice(&seed, 4000) * MIB, sizes = 0, granted = 0, due = 0;

		for (size_t i = 0; i < n; i++) {
			vms[i] = vm(dice(&seed, 1000) * MIB + dice(&seed, MIB),
				    dice(&seed, 1000) * MIB, dice(&seed, 1000) * MIB,
				    dice(&seed, 2));
			vms[i].least_bytes = dice(&seed, 1000) * MIB;
			vms[i].weight = 1 + (unsigned int)dice(&seed, 10000);
			sizes += vms[i].size_bytes;
		}
		vmadj_room_share(vms, n, budget);
		for (size_t i = 0; i < n; i++) {
			cr_assert(ge(u64, vms[i].grant_bytes, vms[i].size_bytes));
			if (vms[i].grant_bytes > vms[i].size_bytes)
				cr_assert(le(u64, vms[i].grant_bytes, vms[i].want_bytes));
			granted += vms[i].grant_bytes;
			due += vms[i].due_bytes;
			if (vms[i].back_bytes == STAY)
				continue;
			cr_assert(ge(u64, vms[i].back_bytes, vms[i].due_bytes));
			cr_assert(ge(u64, vms[i].back_bytes, vms[i].least_bytes));
			cr_assert(lt(u64, vms[i].back_bytes, vms[i].size_bytes));
		}
		cr_assert(le(u64, due, budget));
		cr_assert(le(u64, granted, budget > sizes ? budget : sizes));
	}
}
