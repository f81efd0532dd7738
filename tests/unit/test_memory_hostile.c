/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_memory_hostile.c - random wishes and lying balloons: what must hold whatever comes
 *
 * The guest of this model has what its balloon leaves it, uses memory that grows and shrinks by
 * at most an eighth of the reserve a second, and tells its statistics a second or more late. Its
 * balloon takes a while.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "user/actuate/memory.h"

#define MIB	(1ULL << 20)
#define WISHES	40
#define RESERVE (64 * MIB)

TestSuite(memory_hostile, .timeout = 60);

enum balloon {
	TRUE,  /* tells the truth */
	LATE,  /* now and then no statistics for some seconds, or none any more */
	LYING, /* whatever, in statistics and actual */
	STUCK, /* moves now and then */
	KINDS
};

struct model {
	enum balloon kind;
	struct vmadj_memory memory;
	struct vmadj_balloon_state state;
	double now_s;
	uint64_t seed;
	uint64_t max, actual, target, used, speed; /* of the guest, whatever it says */
	int64_t growth;
	unsigned int silent_s;
	bool calm; /* its use of memory does not change any more */
};

/* xorshift64*: the same on every machine */
static uint64_t dice(struct model *model, uint64_t below)
{
	model->seed ^= model->seed >> 12;
	model->seed ^= model->seed << 25;
	model->seed ^= model->seed >> 27;
	return (model->seed * 2685821657736338717ULL >> 16) % below;
}

static uint64_t hostile_bytes(struct model *model)
{
	const uint64_t some[] = { 0,
				  1,
				  4096,
				  UINT64_MAX,
				  UINT64_MAX - 1,
				  1ULL << 63,
				  model->max - 1,
				  model->max,
				  model->max + 1,
				  dice(model, 2 * model->max) };

	return some[dice(model, sizeof(some) / sizeof(some[0]))];
}

static uint64_t wished_bytes(struct model *model)
{
	return dice(model, 3) ? dice(model, model->max) : hostile_bytes(model);
}

static struct model model_new(uint64_t seed, enum balloon kind)
{
	struct model model = { .kind = kind, .seed = seed * 0x9e3779b97f4a7c15ULL + 1 };
	struct vmadj_memory_limits limits = { .reserve_bytes = RESERVE, .period_s = 1 };

	model.max = (512 + dice(&model, 4096)) * MIB + dice(&model, MIB);
	limits.min_bytes = dice(&model, 2) ? dice(&model, model.max) : 0;
	limits.max_bytes = dice(&model, 3) ? UINT64_MAX : model.max - dice(&model, model.max / 4);
	limits.step_bytes = dice(&model, 2) ? 0 : 8 * MIB + dice(&model, 256 * MIB);
	model.actual = model.target = model.max;
	model.used = model.max / 8;
	model.speed = (16 + dice(&model, 512)) * MIB;
	model.state = (struct vmadj_balloon_state){ .running = true, .max_bytes = model.max };
	model.state.stats.last_update_s = 1 + dice(&model, 1000);
	vmadj_memory_init(&model.memory, &limits);
	return model;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t limit(const struct model *model)
{
	return least(model->memory.limits.max_bytes / MIB * MIB, model->max);
}

/* One second in the guest. */
static void guest_lives(struct model *model)
{
	uint64_t most = vmadj_memory_in_motion(&model->memory) ? model->speed : 4 * model->speed;
	uint64_t bound = limit(model) - RESERVE / 2;

	if (!model->calm && !dice(model, 10))
		model->growth = (int64_t)dice(model, RESERVE / 4) - (int64_t)(RESERVE / 8);
	if (model->growth > 0 && model->used + (uint64_t)model->growth < bound)
		model->used += (uint64_t)model->growth;
	else if (model->growth < 0 && model->used > (uint64_t)-model->growth)
		model->used -= (uint64_t)-model->growth;
	if (model->kind == STUCK && dice(model, 50))
		return;
	if (model->actual > model->target)
		model->actual -= least(model->actual - model->target, most);
	else
		model->actual = model->target;
}

static void guest_lies(struct model *model)
{
	struct vmadj_balloon_stats *stats = &model->state.stats;

	stats->actual_bytes = dice(model, 10) ? model->actual : hostile_bytes(model);
	stats->last_update_s = dice(model, 5) ? stats->last_update_s + 1 : hostile_bytes(model);
	stats->available_bytes = hostile_bytes(model);
	stats->free_bytes = hostile_bytes(model);
	stats->total_bytes = hostile_bytes(model);
	stats->major_faults = hostile_bytes(model);
	stats->swap_in_bytes = hostile_bytes(model);
	stats->oom_kills = hostile_bytes(model);
}

static void guest_tells(struct model *model)
{
	struct vmadj_balloon_stats *stats = &model->state.stats;

	stats->actual_bytes = model->actual;
	if (model->kind == LATE && !model->silent_s && !dice(model, 20))
		model->silent_s = 1 + (unsigned int)dice(model, 30);
	if (model->silent_s) {
		model->silent_s--;
		return;
	}
	memset(stats, 0xff, sizeof(*stats));
	stats->actual_bytes = model->actual;
	stats->last_update_s = 1000 + (uint64_t)model->now_s;
	stats->total_bytes = dice(model, 2) ? model->actual : model->max; /* deflates on OOM */
	stats->available_bytes = model->actual > model->used ? model->actual - model->used : 0;
}

/* Half of what it says that it can spare, or little; never more than the administrator has set. */
static void check_step(const struct vmadj_memory *memory, uint64_t step)
{
	uint64_t available = memory->guest.mem_available_bytes, most = RESERVE / 2;

	if (available > RESERVE && (available - RESERVE) / 2 > most)
		most = (available - RESERVE) / 2;
	cr_assert(le(u64, step, most));
	if (memory->limits.step_bytes)
		cr_assert(le(u64, step, memory->limits.step_bytes));
}

/* What is asked for is above the floor, or not less than it has; and not above the maximum. */
static void check_target(const struct model *model, uint64_t target, uint64_t before)
{
	const struct vmadj_memory *memory = &model->memory;
	uint64_t actual = memory->actual_bytes, min = memory->limits.min_bytes;

	min = least(min ? min : limit(model) / 2, limit(model));
	if (target > actual)
		cr_assert(le(u64, target, limit(model)));
	if (target >= actual)
		return;
	cr_assert(not(memory->distrusted));
	cr_assert(ge(u64, target, min));
	if (target > before && before < actual)
		return; /* less far down than before */
	check_step(memory, actual - target);
	cr_assert(ne(u64, memory->floor_bytes, VMADJ_BALLOON_UNSET));
	cr_assert(ge(u64, target, memory->floor_bytes));
	if (model->kind != LYING)
		cr_assert(ge(u64, target, model->used + RESERVE / 2), "what it really uses");
}

static void second(struct model *model)
{
	uint64_t before = model->memory.target_bytes;
	struct vmadj_memory_next next;

	model->now_s += 1;
	guest_lives(model);
	if (model->kind == LYING)
		guest_lies(model);
	else
		guest_tells(model);
	model->state.running = model->kind != LATE || dice(model, 100);
	next = vmadj_memory_see(&model->memory, model->now_s, &model->state, VMADJ_BALLOON_UNSET,
				dice(model, 20));
	if (next.act != VMADJ_MEMORY_SET)
		return;
	check_target(model, next.target_bytes, before);
	if (!dice(model, 30))
		return; /* it could not be set */
	vmadj_memory_was_set(&model->memory, model->now_s, next.target_bytes);
	model->target = next.target_bytes;
}

/* A guest whose memory grows no faster than the reserve covers never needs what it has not. */
static void check_guest(const struct model *model)
{
	if (model->kind == TRUE)
		cr_assert(le(u64, model->used, model->actual));
}

static void live(struct model *model, unsigned int seconds)
{
	while (seconds--) {
		second(model);
		check_guest(model);
	}
}

static void check_end(struct model *model)
{
	uint64_t goal, need;

	(void)vmadj_memory_wish(&model->memory, 0, &goal);
	model->calm = true;
	model->growth = 0;
	live(model, 3000);
	need = least(model->used + RESERVE, model->max);
	if (need < goal)
		need = goal;
	cr_assert(ge(u64, model->actual, goal));
	cr_assert(le(u64, model->actual, need + RESERVE / 4 + MIB), "but for a small change");
}

ParameterizedTestParameters(memory_hostile, holds_whatever_comes)
{
	static enum balloon cases[] = { TRUE, LATE, LYING, STUCK };

	return cr_make_param_array(enum balloon, cases, KINDS);
}

ParameterizedTest(enum balloon *kind, memory_hostile, holds_whatever_comes)
{
	for (uint64_t seed = 1; seed <= 500; seed++) {
		struct model model = model_new(seed, *kind);
		uint64_t goal;

		cr_log_info("seed %lu", (unsigned long)seed);
		live(&model, 3);
		for (int i = 0; i < WISHES; i++) {
			if (dice(&model, 10))
				(void)vmadj_memory_wish(&model.memory, wished_bytes(&model), &goal);
			else
				vmadj_memory_unwish(&model.memory);
			live(&model, 1 + (unsigned int)dice(&model, 120));
		}
		if (*kind == TRUE)
			check_end(&model);
	}
}
