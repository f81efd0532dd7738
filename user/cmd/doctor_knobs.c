/* SPDX-License-Identifier: GPL-2.0-only */
/* doctor_knobs.c - what of this host's VMs could be turned */
#include "user/cmd/doctor_knobs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/actuate/cpu.h"
#include "user/vm/inventory.h"
#include "user/vm/vm.h"

#define VMS_SHOWN 20 /* of those that cannot be turned; the rest is a number */
#define AREA	  "knobs"

struct list {
	struct vmadj_checks *all;
	bool failed;
};

/* Texts are taken over; NULL in @found: out of memory. */
static void add(struct list *list, const char *name, char *found, char *cost, char *remedy)
{
	struct vmadj_check *check =
		reallocarray(list->all->check, list->all->n + 1, sizeof(*check));

	if (check)
		list->all->check = check;
	if (!check || !found) {
		list->failed = true;
		free(found);
		free(cost);
		free(remedy);
		return;
	}
	check[list->all->n++] = (struct vmadj_check){
		.area = AREA,
		.name = name,
		.state = cost ? VMADJ_CHECK_MISSING : VMADJ_CHECK_OK,
		.found = found,
		.cost = cost,
		.remedy = remedy,
	};
}

__attribute__((format(printf, 1, 2))) static char *text(const char *fmt, ...)
{
	va_list args;
	char *made;

	va_start(args, fmt);
	if (vasprintf(&made, fmt, args) < 0)
		made = NULL;
	va_end(args);
	return made;
}

static void add_vm(struct list *list, const struct vmadj_vm *vm,
		   const struct vmadj_cpu_place *place)
{
	add(list, "CPU share of a VM", text("%s: %s", vm->identity.name, place->why_not),
	    text("its share of CPU time cannot be turned"), NULL);
}

static void add_sum(struct list *list, const size_t *by_kind, size_t unable)
{
	char sum[256] = "";
	size_t len = 0;

	for (int kind = VMADJ_CPU_CGROUP2; kind <= VMADJ_CPU_THREADS; kind++) {
		if (by_kind[kind]) {
			len += (size_t)snprintf(sum + len, sizeof(sum) - len, "%s%zu by %s",
						len ? ", " : "", by_kind[kind],
						vmadj_cpu_kind_name(kind));
		}
	}
	if (unable > VMS_SHOWN) {
		add(list, "CPU share of more VMs", text("%zu VMs", unable - VMS_SHOWN),
		    text("their share of CPU time cannot be turned either"), NULL);
	}
	add(list, "CPU share of VMs", text("%s", len ? sum : "no VM runs that could be turned"),
	    NULL, NULL);
}

static void look_at_vms(struct list *list, struct vmadj_cpu *cpu,
			const struct vmadj_inventory *inventory)
{
	size_t by_kind[VMADJ_CPU_THREADS + 1] = { 0 }, unable = 0;

	for (size_t i = 0; i < vmadj_inventory_count(inventory); i++) {
		const struct vmadj_vm *vm = vmadj_inventory_vm(inventory, i);
		const struct vmadj_target target = { .id = vm->id,
						     .name = vm->identity.name,
						     .uuid = vm->identity.uuid,
						     .manager = vm->identity.manager,
						     .pid = vm->pid,
						     .start_ticks = vm->start_ticks };
		struct vmadj_cpu_place place;

		if (vm->state != VMADJ_VM_LIVE || vmadj_cpu_find(cpu, &target, &place))
			continue;
		if (place.effective) {
			by_kind[place.kind]++;
		} else if (unable++ < VMS_SHOWN) {
			add_vm(list, vm, &place);
		}
	}
	add_sum(list, by_kind, unable);
}

int vmadj_doctor_knobs(struct vmadj_observer *observer, const struct vmadj_checks *checks,
		       struct vmadj_checks *ret_all)
{
	struct vmadj_checks all = { .check = calloc(checks->n + 1, sizeof(*all.check)) };
	struct vmadj_inventory *inventory = NULL;
	struct list list = { &all, false };
	struct vmadj_cpu *cpu = NULL;
	char line[256];
	int err = all.check ? vmadj_inventory_new(observer, &inventory) : -ENOMEM;

	for (; !err && all.n < checks->n; all.n++)
		all.check[all.n] = checks->check[all.n];
	if (!err)
		err = vmadj_cpu_new(NULL, NULL, NULL, &cpu);
	if (!err) {
		(void)vmadj_cpu_describe(cpu, line, sizeof(line));
		add(&list, "CPU share", text("%s", line), NULL, NULL);
		look_at_vms(&list, cpu, inventory);
		err = list.failed ? -ENOMEM : 0;
	}
	vmadj_cpu_free(cpu);
	vmadj_inventory_free(inventory);
	if (err) {
		vmadj_doctor_knobs_free(checks, &all);
	} else {
		*ret_all = all;
	}
	return err;
}

void vmadj_doctor_knobs_free(const struct vmadj_checks *checks, struct vmadj_checks *all)
{
	for (size_t i = checks->n; i < all->n; i++) {
		free(all->check[i].found);
		free(all->check[i].cost);
		free(all->check[i].remedy);
	}
	free(all->check);
	*all = (struct vmadj_checks){ 0 };
}
