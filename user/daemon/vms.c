/* SPDX-License-Identifier: GPL-2.0-only */
/* vms.c - the VMs as the daemon has them */
#include "user/daemon/vms.h"

#include <stdlib.h>
#include <string.h>

#include "user/daemon/daemon.h"
#include "user/daemon/turn.h"
#include "user/snapshot/snapshot.h"

static void free_one(struct vmadj_managed *managed)
{
	if (!managed)
		return;
	vmadj_turn_memory_close(managed);
	vmadj_turn_guest_close(managed);
	vmadj_decisions_clear(&managed->decisions);
	free((char *)managed->target.id);
	free((char *)managed->target.name);
	free((char *)managed->target.uuid);
	free((char *)managed->target.manager);
	free(managed);
}

static char *copied(const char *text, bool *failed)
{
	char *copy = text ? strdup(text) : NULL;

	*failed |= text && !copy;
	return copy;
}

static struct vmadj_managed *new_one(struct vmadj_daemon *daemon, const struct vmadj_snap_vm *row)
{
	struct vmadj_managed *managed = calloc(1, sizeof(*managed));
	bool failed = false;

	if (!managed)
		return NULL;
	managed->daemon = daemon;
	managed->target = (struct vmadj_target){
		.id = copied(row->id, &failed),
		.name = copied(row->name, &failed),
		.uuid = copied(row->uuid, &failed),
		.manager = copied(row->manager, &failed),
		.pid = row->pid,
		.start_ticks = row->start_ticks,
	};
	if (failed) {
		free_one(managed);
		return NULL;
	}
	managed->limits = vmadj_config_limits(daemon->config, managed->target.name,
					      managed->target.id, managed->target.uuid);
	return managed;
}

void vmadj_vms_begin(struct vmadj_vms *vms)
{
	vms->cursor = 0;
	for (size_t i = 0; i < vms->n; i++)
		vms->vm[i]->row = NULL;
}

static struct vmadj_managed *insert(struct vmadj_vms *vms, struct vmadj_managed *managed)
{
	struct vmadj_managed **vm =
		reallocarray(vms->vm, vms->n + 1, sizeof(struct vmadj_managed *));

	if (!vm || !managed) {
		vms->vm = vm ? vm : vms->vm;
		free_one(managed);
		return NULL;
	}
	vms->vm = vm;
	memmove(&vm[vms->cursor + 1], &vm[vms->cursor],
		(vms->n - vms->cursor) * sizeof(struct vmadj_managed *));
	vm[vms->cursor] = managed;
	vms->n++;
	return managed;
}

/* Both sides are by pid; of one pid there may be an ended VM and a new one. */
struct vmadj_managed *vmadj_vms_meet(struct vmadj_daemon *daemon, struct vmadj_vms *vms,
				     struct vmadj_snap_vm *row)
{
	struct vmadj_managed *managed;

	while (vms->cursor < vms->n && vms->vm[vms->cursor]->target.pid < row->pid)
		vms->cursor++;
	for (size_t i = vms->cursor; i < vms->n && vms->vm[i]->target.pid == row->pid; i++) {
		managed = vms->vm[i];
		if (!strcmp(managed->target.id, row->id)) {
			managed->row = row;
			managed->ended = row->ended;
			return managed;
		}
	}
	managed = insert(vms, new_one(daemon, row));
	if (managed) {
		managed->row = row;
		managed->ended = row->ended;
	}
	return managed;
}

void vmadj_vms_end(struct vmadj_daemon *daemon, struct vmadj_vms *vms)
{
	size_t kept = 0;

	for (size_t i = 0; i < vms->n; i++) {
		struct vmadj_managed *managed = vms->vm[i];
		bool over = !managed->row || managed->ended;

		if (over)
			vmadj_turn_forget(daemon, managed);
		if (over && !managed->cpu.use.busy) {
			free_one(managed);
		} else {
			vms->vm[kept++] = managed;
		}
	}
	vms->n = kept;
}

void vmadj_vms_clear(struct vmadj_vms *vms)
{
	for (size_t i = 0; i < vms->n; i++)
		free_one(vms->vm[i]);
	free(vms->vm);
	*vms = (struct vmadj_vms){ 0 };
}

struct vmadj_managed *vmadj_vms_by_id(const struct vmadj_vms *vms, const char *id)
{
	pid_t pid = (pid_t)strtol(id, NULL, 10);
	size_t low = 0, high = vms->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (vms->vm[middle]->target.pid < pid) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	for (; low < vms->n && vms->vm[low]->target.pid == pid; low++) {
		struct vmadj_managed *managed = vms->vm[low];

		if (managed->row && !managed->ended && !strcmp(managed->target.id, id))
			return managed;
	}
	return NULL;
}

struct vmadj_managed *vmadj_vms_named(const struct vmadj_vms *vms, const char *name, size_t *ret_n)
{
	struct vmadj_managed *found = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < vms->n; i++) {
		struct vmadj_managed *managed = vms->vm[i];
		const struct vmadj_target *target = &managed->target;

		if (!managed->row || managed->ended)
			continue;
		if (!strcmp(target->id, name) || (target->uuid && !strcmp(target->uuid, name))) {
			*ret_n = 1;
			return managed;
		}
		if (target->name && !strcmp(target->name, name)) {
			found = managed;
			++*ret_n;
		}
	}
	return *ret_n == 1 ? found : NULL;
}
