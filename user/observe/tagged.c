// SPDX-License-Identifier: GPL-2.0-only
/* tagged.c - threads of our own that are counted like a VM's */
#include "user/observe/tagged.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/observe/life.h"
#include "user/util/file.h"
#include "user/util/process.h"

struct worker {
	pthread_t thread;
	pid_t tid;
	uint32_t slot;
	sem_t go, done;
	bool started;
	struct vmadj_tagged *of;
};

struct vmadj_tagged {
	struct vmadj_life *life;
	void (*work)(void *data);
	void *data;
	unsigned int n;
	struct worker worker[VMADJ_TAGGED_MAX];
};

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) && errno == EINTR)
		;
}

static void *worker_main(void *data)
{
	struct worker *worker = data;

	worker->tid = gettid();
	(void)sem_post(&worker->done);
	for (;;) {
		wait_for(&worker->go);
		if (!worker->of->work)
			return NULL;
		worker->of->work(worker->of->data);
		(void)sem_post(&worker->done);
	}
}

/* The counters are complete once the thread sleeps; it is about to, so this is short. */
static void wait_asleep(pid_t tid)
{
	char path[64], stat[512], *state;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	for (int i = 0; i < 1000; i++) {
		if (vmadj_file_read(-1, path, stat, sizeof(stat)) < 0)
			return;
		state = strrchr(stat, ')');
		if (state && !strncmp(state, ") S", 3))
			return;
		(void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
}

static int worker_start(struct worker *worker, struct vmadj_tagged *tagged)
{
	int err;

	worker->of = tagged;
	(void)sem_init(&worker->go, 0, 0);
	(void)sem_init(&worker->done, 0, 0);
	err = pthread_create(&worker->thread, NULL, worker_main, worker);
	if (err)
		return -err;
	worker->started = true;
	wait_for(&worker->done);
	wait_asleep(worker->tid);
	return 0;
}

static int find_slots(struct vmadj_tagged *tagged)
{
	int err = vmadj_life_refresh(tagged->life);
	unsigned int found = 0;

	if (err)
		return err;
	for (uint32_t slot = 1; slot < vmadj_life_slots(tagged->life); slot++) {
		const struct vmadj_thread *thread = vmadj_life_thread(tagged->life, slot);

		for (unsigned int i = 0; i < tagged->n && thread; i++) {
			if (thread->state != VMADJ_THREAD_LIVE ||
			    (pid_t)thread->tid != tagged->worker[i].tid)
				continue;
			tagged->worker[i].slot = slot;
			found++;
		}
	}
	return found == tagged->n ? 0 : -ENOSPC;
}

static int tag(struct vmadj_tagged *tagged)
{
	struct vmadj_process us = { .vm = VMADJ_TAGGED_VM };
	uint64_t start_ticks;
	int err = vmadj_process_start(getpid(), &start_ticks);

	us.start_ticks = start_ticks;
	if (!err)
		err = vmadj_life_set_process(tagged->life, getpid(), &us);
	if (!err)
		err = vmadj_life_scan_threads(tagged->life, getpid(), NULL, NULL);
	return err ? err : find_slots(tagged);
}

/* Threads that are still exiting keep their tags, and end as any thread of a VM does. */
static void untag(struct vmadj_tagged *tagged)
{
	(void)vmadj_life_unset_process(tagged->life, getpid());
	(void)vmadj_life_scan_threads(tagged->life, getpid(), NULL, NULL);
}

int vmadj_tagged_start(struct vmadj_life *life, unsigned int n, struct vmadj_tagged **ret_tagged)
{
	struct vmadj_tagged *tagged = calloc(1, sizeof(*tagged));
	int err = 0;

	if (!tagged)
		return -ENOMEM;
	tagged->life = life;
	tagged->n = n;
	for (unsigned int i = 0; i < n && !err; i++)
		err = worker_start(&tagged->worker[i], tagged);
	if (!err)
		err = tag(tagged);
	if (err) {
		vmadj_tagged_stop(tagged);
		return err;
	}
	*ret_tagged = tagged;
	return 0;
}

void vmadj_tagged_stop(struct vmadj_tagged *tagged)
{
	if (!tagged)
		return;
	tagged->work = NULL;
	for (unsigned int i = 0; i < tagged->n; i++) {
		if (!tagged->worker[i].started)
			continue;
		(void)sem_post(&tagged->worker[i].go);
		(void)pthread_join(tagged->worker[i].thread, NULL);
	}
	untag(tagged);
	free(tagged);
}

pid_t vmadj_tagged_tid(const struct vmadj_tagged *tagged, unsigned int i)
{
	return tagged->worker[i].tid;
}

uint32_t vmadj_tagged_slot(const struct vmadj_tagged *tagged, unsigned int i)
{
	return tagged->worker[i].slot;
}

void vmadj_tagged_run(struct vmadj_tagged *tagged, void (*work)(void *data), void *data)
{
	tagged->work = work;
	tagged->data = data;
	for (unsigned int i = 0; i < tagged->n; i++)
		(void)sem_post(&tagged->worker[i].go);
	for (unsigned int i = 0; i < tagged->n; i++)
		wait_for(&tagged->worker[i].done);
	for (unsigned int i = 0; i < tagged->n; i++)
		wait_asleep(tagged->worker[i].tid);
}
