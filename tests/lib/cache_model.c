/* SPDX-License-Identifier: GPL-2.0-only */
/* cache_model.c - VMs with page caches, moved by a policy, in made-up time */
#include "tests/lib/cache_model.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "tests/lib/loaded_policy.h"

#define PAGES	       (CACHE_BLOCK_BYTES / 4096)
#define STEP_BLOCKS    256 /* of a shrinking guest in a second: 16 MiB */
#define GROW_BLOCKS    1024
#define BATCH_BLOCKS   16
#define RESERVE_BLOCKS 64
#define NONE	       UINT32_MAX
#define SECONDS_MAX    4096

/* Which blocks are in memory, the one used last first. */
struct lru {
	uint32_t *prev, *next; /* by id; prev of the first and next of the last are NONE */
	uint8_t *state;
	uint32_t first, last, n;
	uint32_t n_active; /* used again since they were read */
};

enum { NEVER_SEEN, CACHED, ACTIVE, DROPPED };

struct vm {
	struct lru lru;
	uint32_t at[CACHE_STREAMS_MAX]; /* of a cycle or a scan */
	double *zipf[CACHE_STREAMS_MAX];
	double blocks, goal;
	uint64_t accesses, hits, refaults;
	uint64_t measured_accesses, measured_hits;
	uint32_t turns;
	int direction;
};

struct world {
	const struct cache_run *run;
	struct loaded_policy policy;
	uint64_t random;
	uint32_t n;
	struct vm vm[CACHE_GUESTS_MAX];
	double largest[SECONDS_MAX][CACHE_GUESTS_MAX];
	struct {
		struct vmadj_policy_snapshot head;
		struct vmadj_policy_vm vm[CACHE_GUESTS_MAX];
	} snapshot;
};

static void *make(size_t n, size_t size)
{
	void *made = calloc(n, size);

	cr_assert(made, "out of memory");
	return made;
}

/* splitmix64, of S. Vigna: in [0, 1) */
static double draw(struct world *world)
{
	uint64_t z = world->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* --- a guest's cache ---------------------------------------------------- */

static void unlink_block(struct lru *lru, uint32_t id)
{
	uint32_t prev = lru->prev[id], next = lru->next[id];

	*(prev == NONE ? &lru->first : &lru->next[prev]) = next;
	*(next == NONE ? &lru->last : &lru->prev[next]) = prev;
}

static void link_first(struct lru *lru, uint32_t id)
{
	lru->prev[id] = NONE;
	lru->next[id] = lru->first;
	*(lru->first == NONE ? &lru->last : &lru->prev[lru->first]) = id;
	lru->first = id;
}

/* As kernels do: when there is no room, for a few more at once. */
static void drop_above(struct lru *lru, uint32_t room)
{
	uint32_t down_to = room > BATCH_BLOCKS ? room - BATCH_BLOCKS : 0;

	if (lru->n <= room)
		return;
	while (lru->n > down_to) {
		uint32_t id = lru->last;

		unlink_block(lru, id);
		lru->n_active -= lru->state[id] == ACTIVE;
		lru->state[id] = DROPPED;
		lru->n--;
	}
}

static uint32_t room_of(const struct vm *vm)
{
	return vm->blocks > CACHE_USED_BLOCKS ? (uint32_t)(vm->blocks - CACHE_USED_BLOCKS) : 0;
}

static void read_block(struct vm *vm, uint32_t id)
{
	struct lru *lru = &vm->lru;

	vm->accesses++;
	if (lru->state[id] == CACHED || lru->state[id] == ACTIVE) {
		vm->hits++;
		lru->n_active += lru->state[id] == CACHED;
		lru->state[id] = ACTIVE;
		unlink_block(lru, id);
		link_first(lru, id);
		return;
	}
	vm->refaults += lru->state[id] == DROPPED;
	lru->state[id] = CACHED;
	lru->n++;
	link_first(lru, id);
	drop_above(lru, room_of(vm));
}

/* --- what it reads ------------------------------------------------------ */

static bool is_on(const struct cache_stream *stream, double now_s)
{
	double since = now_s - stream->from_s;

	if (since < 0 || (stream->to_s > 0 && now_s >= stream->to_s))
		return false;
	return stream->every_s == 0 || fmod(since, stream->every_s) < stream->for_s;
}

static double *zipf_table(const struct cache_stream *stream)
{
	double *table = make(stream->n, sizeof(*table)), sum = 0;

	for (uint32_t i = 0; i < stream->n; i++)
		table[i] = sum += pow(i + 1.0, -stream->exponent);
	for (uint32_t i = 0; i < stream->n; i++)
		table[i] /= sum;
	return table;
}

static uint32_t zipf_rank(const double *table, uint32_t n, double at)
{
	uint32_t low = 0, high = n - 1;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (table[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static uint32_t next_block(struct world *world, struct vm *vm, const struct cache_stream *stream,
			   uint32_t i)
{
	switch (stream->kind) {
	case CACHE_UNIFORM:
		return stream->first + (uint32_t)(draw(world) * stream->n);
	case CACHE_ZIPF:
		if (!vm->zipf[i])
			vm->zipf[i] = zipf_table(stream);
		return stream->first + zipf_rank(vm->zipf[i], stream->n, draw(world));
	default:
		return stream->first + vm->at[i]++ % stream->n;
	}
}

/* The streams of a guest take turns, so that none has the cache for itself for a second. */
static void read_for_a_second(struct world *world, uint32_t g, double now_s)
{
	const struct cache_stream *streams = world->run->mix->guests[g].streams;
	uint32_t left[CACHE_STREAMS_MAX] = { 0 }, total = 0;

	for (uint32_t i = 0; i < CACHE_STREAMS_MAX && streams[i].per_s > 0; i++) {
		/* As random as arrivals are, near enough: a normal spread by two draws. */
		double spread = (draw(world) + draw(world) - 1) * 2.45 * sqrt(streams[i].per_s);

		if (is_on(&streams[i], now_s))
			left[i] = (uint32_t)fmax(streams[i].per_s + spread, 0);
		total += left[i];
	}
	for (; total > 0; total--) {
		uint32_t pick = (uint32_t)(draw(world) * total), i = 0;

		while (pick >= left[i])
			pick -= left[i++];
		left[i]--;
		read_block(&world->vm[g], next_block(world, &world->vm[g], &streams[i], i));
	}
}

/* --- what it tells ------------------------------------------------------ */

static void tell_counts(const struct world *world, const struct vm *vm, struct vmadj_policy_vm *to)
{
	enum cache_source source = world->run->source;
	uint64_t misses = vm->accesses - vm->hits;

	to->io_read_bytes = misses * CACHE_BLOCK_BYTES;
	if (source == CACHE_BALLOON)
		return;
	to->guest_refaults = vm->refaults * PAGES;
	to->guest_disk_read_bytes = misses * CACHE_BLOCK_BYTES;
	to->guest_active_file_bytes = (uint64_t)vm->lru.n_active * CACHE_BLOCK_BYTES;
	to->guest_committed_bytes = (uint64_t)CACHE_USED_BLOCKS * CACHE_BLOCK_BYTES;
	to->guest_alloc_stalls = 0;
	if (source == CACHE_QGA)
		return;
	to->guest_accessed_pages = vm->accesses * PAGES;
	to->guest_hit_pages = vm->hits * PAGES;
	to->guest_miss_pages = misses * PAGES;
}

static void tell(struct world *world, uint32_t g)
{
	static const char *const sources[] = { "agent", "qemu-ga", "balloon" };
	const struct vm *vm = &world->vm[g];
	struct vmadj_policy_vm *to = &world->snapshot.vm[g];
	uint64_t bytes = (uint64_t)vm->blocks * CACHE_BLOCK_BYTES;
	uint64_t cached = (uint64_t)vm->lru.n * CACHE_BLOCK_BYTES;
	uint64_t used = (uint64_t)CACHE_USED_BLOCKS * CACHE_BLOCK_BYTES;

	/* All that is not told is unknown, whatever policy.h grows. */
	memset(to, 0xff, sizeof(*to));
	memset(to->mem_need, 0, sizeof(to->mem_need));
	(void)snprintf(to->id, sizeof(to->id), "%u-1", g + 1);
	(void)snprintf(to->name, sizeof(to->name), "%s", world->run->mix->guests[g].name);
	(void)snprintf(to->guest_source, sizeof(to->guest_source), "%s",
		       sources[world->run->source]);
	to->pid = (int32_t)g + 1;
	to->knobs = VMADJ_KNOB_MEMORY;
	to->mem_weight = 100;
	to->mem_bytes = bytes;
	to->mem_target_bytes = (uint64_t)vm->goal * CACHE_BLOCK_BYTES;
	to->mem_min_bytes = used + (uint64_t)RESERVE_BLOCKS * CACHE_BLOCK_BYTES;
	to->mem_max_bytes = (uint64_t)world->n * CACHE_EQUAL_BLOCKS * CACHE_BLOCK_BYTES;
	to->guest_age_s = 0.5;
	to->guest_total_bytes = bytes;
	to->guest_free_bytes = bytes > used + cached ? bytes - used - cached : 0;
	to->guest_available_bytes = bytes > used ? bytes - used : 0;
	to->guest_cached_bytes = cached;
	to->guest_swap_in_bytes = to->guest_swap_out_bytes = 0;
	to->guest_major_faults = to->guest_oom_kills = 0;
	tell_counts(world, vm, to);
}

/* --- the daemon --------------------------------------------------------- */

static void take_wishes(struct world *world, const struct vmadj_policy_wishes *wishes)
{
	for (uint32_t i = 0; i < wishes->n; i++) {
		const struct vmadj_policy_wish *wish = &wishes->wish[i];
		struct vm *vm = &world->vm[atoi(wish->vm) - 1];
		int direction;

		if (wish->knob != VMADJ_KNOB_MEMORY)
			continue;
		cr_assert(isfinite(wish->value), "%s", wish->reason);
		direction = (wish->value / CACHE_BLOCK_BYTES > vm->goal) -
			    (wish->value / CACHE_BLOCK_BYTES < vm->goal);
		vm->turns += direction && vm->direction && direction != vm->direction;
		vm->direction = direction ? direction : vm->direction;
		vm->goal = fmin(
			fmax(wish->value / CACHE_BLOCK_BYTES, CACHE_USED_BLOCKS + RESERVE_BLOCKS),
			(double)world->n * CACHE_EQUAL_BLOCKS);
	}
}

static double sum_blocks(const struct world *world)
{
	double sum = 0;

	for (uint32_t i = 0; i < world->n; i++)
		sum += world->vm[i].blocks;
	return sum;
}

static void move_memory(struct world *world)
{
	double bound = (double)world->n * CACHE_EQUAL_BLOCKS;

	for (uint32_t i = 0; i < world->n; i++) {
		struct vm *vm = &world->vm[i];

		if (vm->goal < vm->blocks)
			vm->blocks = fmax(vm->goal, vm->blocks - STEP_BLOCKS);
		drop_above(&vm->lru, room_of(vm));
	}
	for (uint32_t i = 0; i < world->n; i++) {
		struct vm *vm = &world->vm[i];
		double room = bound - sum_blocks(world);

		if (vm->goal > vm->blocks)
			vm->blocks += fmin(fmin(vm->goal - vm->blocks, GROW_BLOCKS), room);
	}
}

static void decide(struct world *world, double now_s)
{
	struct vmadj_policy_snapshot *head = &world->snapshot.head;
	double goals = 0;

	*head = (struct vmadj_policy_snapshot){
		.abi = VMADJ_POLICY_ABI,
		.size = sizeof(*head),
		.vm_size = sizeof(struct vmadj_policy_vm),
		.n_vms = world->n,
		.seq = (uint64_t)now_s,
		.time_unix_s = 1e9 + now_s,
		.monotonic_s = now_s,
		.interval_s = 1,
		.cpus = 2,
		.mem_total_bytes = 1ULL << 40,
		.mem_available_bytes = 1ULL << 39,
		.mem_vms_bytes = (uint64_t)world->n * CACHE_EQUAL_BLOCKS * CACHE_BLOCK_BYTES,
	};
	for (uint32_t i = 0; i < world->n; i++)
		tell(world, i);
	take_wishes(world, loaded_policy_decide(&world->policy, head));
	for (uint32_t i = 0; i < world->n; i++)
		goals += world->vm[i].goal;
	cr_assert(goals <= (double)world->n * CACHE_EQUAL_BLOCKS * 1.0001 ||
			  !strcmp(world->policy.ops->name, "mom_default"),
		  "%s wishes for more than there is", world->policy.ops->name);
	move_memory(world);
}

/* --- a run -------------------------------------------------------------- */

static void begin(struct world *world)
{
	const struct cache_run *run = world->run;

	world->random = run->seed * 0x2545f4914f6cdd1d + 1;
	world->policy = loaded_policy_open(run->policy);
	for (const struct cache_param *p = run->params; p && p->name; p++)
		loaded_policy_set(&world->policy, p->name, p->value);
	while (world->n < CACHE_GUESTS_MAX && run->mix->guests[world->n].name) {
		struct vm *vm = &world->vm[world->n++];

		vm->lru = (struct lru){
			.prev = make(CACHE_BLOCKS_MAX, sizeof(uint32_t)),
			.next = make(CACHE_BLOCKS_MAX, sizeof(uint32_t)),
			.state = make(CACHE_BLOCKS_MAX, 1),
			.first = NONE,
			.last = NONE,
		};
		vm->blocks = vm->goal = CACHE_EQUAL_BLOCKS;
	}
}

static void end(struct world *world)
{
	for (uint32_t i = 0; i < world->n; i++) {
		struct vm *vm = &world->vm[i];

		free(vm->lru.prev);
		free(vm->lru.next);
		free(vm->lru.state);
		for (uint32_t j = 0; j < CACHE_STREAMS_MAX; j++)
			free(vm->zipf[j]);
	}
	free(world);
}

static void watch(const struct world *world, double now_s)
{
	char line[512] = "";
	size_t len = 0;

	for (uint32_t i = 0; i < world->n; i++) {
		const struct vm *vm = &world->vm[i];

		len += (size_t)snprintf(line + len, sizeof(line) - len, " %6.0f %10llu %10llu",
					vm->blocks, (unsigned long long)vm->accesses,
					(unsigned long long)vm->hits);
	}
	world->run->watch(now_s, line);
}

static double moved_s(const struct world *world, uint32_t seconds, uint32_t from)
{
	double gain = 0;
	uint32_t who = 0, t = from;

	for (uint32_t i = 0; i < world->n; i++) {
		double gained = world->vm[i].blocks - CACHE_EQUAL_BLOCKS;

		if (gained > gain) {
			gain = gained;
			who = i;
		}
	}
	if (gain < CACHE_EQUAL_BLOCKS / 20.0)
		return NAN;
	while (t < seconds && world->largest[t][who] < CACHE_EQUAL_BLOCKS + 0.9 * gain)
		t++;
	return t - from;
}

static struct cache_result result_of(const struct world *world, double most)
{
	const struct cache_mix *mix = world->run->mix;
	struct cache_result result = { .most_blocks = most };
	double hits = 0, accesses = 0;

	for (uint32_t i = 0; i < world->n; i++) {
		const struct vm *vm = &world->vm[i];
		double own_hits = (double)(vm->hits - vm->measured_hits);
		double own = (double)(vm->accesses - vm->measured_accesses);

		hits += own_hits;
		accesses += own;
		result.guest_hit_pct[i] = own > 0 ? 100 * own_hits / own : 0;
		result.turns += vm->turns;
	}
	result.hit_pct = accesses > 0 ? 100 * hits / accesses : 0;
	result.moved_s = moved_s(world, (uint32_t)mix->seconds, (uint32_t)mix->measured_from_s);
	return result;
}

struct cache_result cache_model_run(const struct cache_run *run)
{
	struct world *world = make(1, sizeof(*world));
	uint32_t seconds = (uint32_t)run->mix->seconds;
	struct cache_result result;
	double most = 0;

	cr_assert(seconds <= SECONDS_MAX);
	world->run = run;
	begin(world);
	for (uint32_t t = 0; t < seconds; t++) {
		for (uint32_t i = 0; i < world->n; i++) {
			struct vm *vm = &world->vm[i];

			if (t == (uint32_t)run->mix->measured_from_s) {
				vm->measured_accesses = vm->accesses;
				vm->measured_hits = vm->hits;
			}
			read_for_a_second(world, i, t);
			world->largest[t][i] = vm->blocks;
		}
		decide(world, t + 1);
		most = fmax(most, sum_blocks(world));
		if (run->watch)
			watch(world, t);
	}
	result = result_of(world, most);
	end(world);
	return result;
}
