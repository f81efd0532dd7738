/* SPDX-License-Identifier: GPL-2.0-only */
/* test_memory_need.c - who needs memory has it at once, and from others */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/lib/made_guest.h"

TestSuite(memory_need, .timeout = 10);

/* What its agent says: true, and nothing else is going on. */
static struct vmadj_guest said(const struct vmadj_made *made)
{
	struct vmadj_guest guest = vmadj_guest_unknown("agent");

	guest.known = true;
	guest.mem_total_bytes = MADE_MAX;
	guest.mem_available_bytes = vmadj_made_actual(made) - made->used;
	guest.refaults = guest.alloc_stalls = guest.oom_kills = 0;
	return guest;
}

static void says(struct vmadj_made *made, const struct vmadj_guest *guest, double after_s)
{
	made->now_s += after_s;
	vmadj_memory_hear(&made->memory, made->now_s, guest);
}

/* A look that does not take the time of a second. */
static void looks_now(struct vmadj_made *made)
{
	made->now_s -= 0.99;
	vmadj_made_look(made);
}

/* One with an agent that has been brought down to @to. */
static struct vmadj_made with_agent(uint64_t to, uint64_t used)
{
	struct vmadj_made made = vmadj_made_new(used);
	struct vmadj_guest guest;

	made.silent = true; /* its balloon says nothing */
	vmadj_made_wish(&made, to);
	for (int i = 0; i < MADE_LONG_S; i++) {
		guest = said(&made);
		says(&made, &guest, 0.01);
		looks_now(&made);
		made.now_s += 0.98;
	}
	cr_assert(eq(u64, vmadj_made_actual(&made), to));
	return made;
}

Test(memory_need, an_agents_figures_suffice)
{
	struct vmadj_made made = with_agent(512 * MIB, 100 * MIB);

	cr_expect(eq(ptr, (void *)vmadj_memory_in_need(&made.memory, made.now_s), NULL));
}

Test(memory_need, an_agents_figures_bind)
{
	struct vmadj_made made = with_agent(900 * MIB, 500 * MIB);
	struct vmadj_guest guest;

	vmadj_made_wish(&made, MADE_MIN);
	for (int i = 0; i < MADE_LONG_S; i++) {
		guest = said(&made);
		says(&made, &guest, 0.01);
		looks_now(&made);
		made.now_s += 0.98;
	}
	cr_expect(ge(u64, vmadj_made_actual(&made), 500 * MIB + MADE_RESERVE));
	cr_expect(lt(u64, vmadj_made_actual(&made), 500 * MIB + MADE_RESERVE + MADE_STEP));
}

Test(memory_need, while_the_agent_speaks_the_balloons_word_does_not_count)
{
	struct vmadj_made made = with_agent(512 * MIB, 100 * MIB);
	struct vmadj_guest guest = said(&made);

	made.silent = false;
	made.used = 512 * MIB; /* by the balloon's statistics nothing is available */
	for (int i = 0; i < 20; i++) {
		says(&made, &guest, 0);
		vmadj_made_rests(&made, 1);
	}
	vmadj_made_looks(&made, 4);
	cr_expect(gt(u64, vmadj_made_actual(&made), 512 * MIB), "now it does");
}

Test(memory_need, each_step_waits_for_a_newer_report_and_not_for_more)
{
	struct vmadj_made made = with_agent(900 * MIB, 100 * MIB);
	struct vmadj_guest guest = said(&made);
	uint64_t before;

	vmadj_made_wish(&made, MADE_MIN);
	says(&made, &guest, 0.2);
	looks_now(&made);
	cr_assert(eq(int, made.next.act, VMADJ_MEMORY_SET));
	for (int i = 0; i < 5; i++) {
		before = vmadj_made_actual(&made);
		looks_now(&made); /* it has arrived */
		cr_assert(eq(int, made.next.act, VMADJ_MEMORY_NOTHING));
		looks_now(&made);
		cr_assert(eq(int, made.next.act, VMADJ_MEMORY_NOTHING), "nothing newer was said");
		guest = said(&made);
		says(&made, &guest, 0.2);
		looks_now(&made);
		cr_assert(lt(u64, vmadj_made_actual(&made), before));
	}
}

Test(memory_need, stalls_give_all_at_once_whatever_is_wished)
{
	struct vmadj_made made = with_agent(512 * MIB, 100 * MIB);
	struct vmadj_guest guest = said(&made);

	guest.alloc_stalls += 100;
	says(&made, &guest, 0.25);
	looks_now(&made);
	cr_expect(eq(u64, made.next.target_bytes, MADE_MAX));
	cr_expect(made.next.need);
	cr_expect(ne(ptr, (void *)vmadj_memory_in_need(&made.memory, made.now_s), NULL));
}

Test(memory_need, refaults_give_back_what_was_taken_and_it_stays_for_a_minute)
{
	struct vmadj_made made = with_agent(900 * MIB, 100 * MIB);
	struct vmadj_guest guest;
	double since_s;

	vmadj_made_wish(&made, 300 * MIB);
	for (int i = 0; i < 6; i++) { /* three steps */
		guest = said(&made);
		says(&made, &guest, 0.01);
		looks_now(&made);
		made.now_s += 0.98;
	}
	cr_assert(lt(u64, vmadj_made_actual(&made), 880 * MIB));
	guest.refaults += 1000;
	says(&made, &guest, 1);
	looks_now(&made);
	cr_expect(eq(int, made.next.act, VMADJ_MEMORY_SET));
	cr_expect(eq(u64, vmadj_made_actual(&made), 900 * MIB), "as before the first of them");
	since_s = made.now_s;
	vmadj_memory_recall(&made.memory, MADE_MIN); /* which is not kept waiting by else */
	while (vmadj_made_actual(&made) == 900 * MIB && made.now_s < since_s + 100) {
		guest.mem_available_bytes = said(&made).mem_available_bytes;
		says(&made, &guest, 0.01);
		looks_now(&made);
		made.now_s += 0.98;
	}
	cr_expect(ge(dbl, made.now_s - since_s, 59));
	cr_expect(lt(dbl, made.now_s - since_s, 65));
}

Test(memory_need, motion_downwards_ends_at_once)
{
	struct vmadj_made made = with_agent(512 * MIB, 100 * MIB);
	struct vmadj_guest guest = said(&made);

	vmadj_made_wish(&made, MADE_MIN);
	made.stuck = true;
	says(&made, &guest, 0.5);
	looks_now(&made);
	cr_assert(vmadj_memory_in_motion(&made.memory));
	made.memory.limits.max_bytes = 512 * MIB;
	guest.oom_kills++;
	says(&made, &guest, 0.25);
	looks_now(&made);
	cr_expect(eq(u64, made.next.target_bytes, 512 * MIB));
	cr_expect(not(vmadj_memory_in_motion(&made.memory)));
}

Test(memory_need, nothing_is_taken_from_who_is_in_need)
{
	struct vmadj_made made = with_agent(512 * MIB, 100 * MIB);
	struct vmadj_guest guest = said(&made);

	made.memory.limits.max_bytes = 512 * MIB; /* there is no more */
	guest.oom_kills++;
	says(&made, &guest, 0.25);
	vmadj_made_wish(&made, MADE_MIN);
	vmadj_memory_recall(&made.memory, MADE_MIN);
	for (int i = 0; i < 9; i++) {
		says(&made, &guest, 0);
		vmadj_made_rests(&made, 1);
	}
	says(&made, &guest, 2);
	looks_now(&made);
	cr_expect(lt(u64, vmadj_made_actual(&made), 512 * MIB), "it is over");
}

Test(memory_need, what_is_called_back_comes_without_delay_and_not_below_what_is_used)
{
	struct vmadj_made made = vmadj_made_at(640 * MIB, 500 * MIB);

	vmadj_made_wish(&made, 900 * MIB);
	vmadj_made_until_set(&made, 1);
	vmadj_made_looks(&made, 1);
	vmadj_memory_recall(&made.memory, 300 * MIB);
	cr_expect(le(uint, vmadj_made_until_set(&made, 2), 2));
	vmadj_made_looks(&made, 60);
	cr_expect(ge(u64, vmadj_made_actual(&made), 500 * MIB + MADE_RESERVE));
	cr_expect(lt(u64, vmadj_made_actual(&made), 500 * MIB + MADE_RESERVE + MADE_STEP));
	vmadj_memory_recall(&made.memory, VMADJ_BALLOON_UNSET);
	vmadj_made_looks(&made, 2);
	cr_expect(eq(u64, vmadj_made_actual(&made), 900 * MIB), "as is wished");
}

Test(memory_need, who_is_called_back_without_a_wish_stays_where_it_is_then)
{
	struct vmadj_made made = vmadj_made_at(800 * MIB, 100 * MIB);
	uint64_t now;

	vmadj_memory_unwish(&made.memory);
	vmadj_memory_recall(&made.memory, 600 * MIB);
	vmadj_made_looks(&made, 60);
	now = vmadj_made_actual(&made);
	cr_expect(lt(u64, now, 600 * MIB + MADE_STEP));
	cr_expect(ge(u64, now, 600 * MIB));
	vmadj_memory_recall(&made.memory, VMADJ_BALLOON_UNSET);
	vmadj_made_rests(&made, MADE_LONG_S);
}

Test(memory_need, what_it_wants)
{
	struct vmadj_made made = with_agent(512 * MIB, 100 * MIB);
	struct vmadj_guest guest = said(&made);
	bool need = true;

	cr_expect(eq(u64, vmadj_memory_want(&made.memory, made.now_s, &need), 0));
	cr_expect(not(need));
	cr_expect(not(vmadj_memory_is_above(&made.memory)));
	vmadj_made_wish(&made, MADE_MIN);
	cr_expect(vmadj_memory_is_above(&made.memory));
	vmadj_made_wish(&made, 700 * MIB);
	cr_expect(eq(u64, vmadj_memory_want(&made.memory, made.now_s, &need), 700 * MIB));
	cr_expect(not(need));
	guest.oom_kills++;
	says(&made, &guest, 0.25);
	cr_expect(eq(u64, vmadj_memory_want(&made.memory, made.now_s, &need), MADE_MAX));
	cr_expect(need);
	cr_expect(eq(u64, vmadj_memory_size(&made.memory), 512 * MIB));
	looks_now(&made);
	cr_expect(eq(u64, vmadj_memory_size(&made.memory), MADE_MAX), "it is promised");
	cr_expect(eq(u64, vmadj_memory_want(&made.memory, made.now_s, &need), 0));
}

Test(memory_need, how_far_down_it_could_be_brought)
{
	struct vmadj_made made = vmadj_made_at(512 * MIB, 300 * MIB);

	cr_expect(eq(u64, vmadj_memory_least_size(&made.memory), 300 * MIB + MADE_RESERVE));
	made.silent = true;
	vmadj_made_looks(&made, 10);
	cr_expect(eq(u64, vmadj_memory_least_size(&made.memory), 512 * MIB), "not known");
}
