// SPDX-License-Identifier: GPL-2.0-only
/* life.c - which threads belong to which VM */
#include "user/observe/life.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "life.skel.h"
#include "user/observe/kvm_layout.h"
#include "user/observe/window.h"
#include "user/util/cleanup.h"
#include "user/util/file.h"
#include "user/util/scan.h"

#define PID_MAX_DEFAULT 32768
#define MODULE_TYPES	"/sys/kernel/btf/kvm"

struct vmadj_life {
	struct life_bpf *skel;
	bool module_tried; /* the types of KVM's module were looked at */
	struct ring_buffer *ring;
	struct vmadj_window threads;
	struct vmadj_window empty;
	void (*event)(void *data, const struct vmadj_event *event);
	void *event_data;
};

static int on_event(void *data, void *record, size_t size)
{
	struct vmadj_life *life = data;

	if (size >= sizeof(struct vmadj_event) && life->event)
		life->event(life->event_data, record);
	return 0;
}

/* Raised later, it makes us refuse the threads beyond (vmadj_life_lost()). */
static uint32_t greatest_tid(void)
{
	uint64_t max = PID_MAX_DEFAULT;
	const char *at;
	char text[32];

	if (vmadj_file_read(AT_FDCWD, "/proc/sys/kernel/pid_max", text, sizeof(text)) > 0) {
		at = text;
		(void)vmadj_scan_u64(&at, &max);
	}
	return (uint32_t)max;
}

static int life_load(struct vmadj_life *life)
{
	int err;

	life->skel = life_bpf__open();
	if (!life->skel)
		return -errno;
	err = bpf_map__set_max_entries(life->skel->maps.life_slot_of,
				       (greatest_tid() >> VMADJ_TIDS_SHIFT) + 1);
	if (!err)
		err = life_bpf__load(life->skel);
	if (!err)
		err = life_bpf__attach(life->skel);
	if (err)
		return err;
	vmadj_window_init(&life->threads, life->skel->maps.life_thread);
	vmadj_window_init(&life->empty, life->skel->maps.life_free);
	life->ring =
		ring_buffer__new(bpf_map__fd(life->skel->maps.life_event), on_event, life, NULL);
	if (!life->ring)
		return -errno;
	/* The ring is touched only where slots are given back: all of it, 128 KiB. */
	err = vmadj_window_reach(&life->empty, VMADJ_SLOTS);
	return err ? err : vmadj_life_refresh(life);
}

/* Once it is known it stays as it is. */
static void find_kvm(struct vmadj_life *life, struct btf *vmlinux)
{
	struct vmadj_kvm_layout found;

	if (vmadj_kvm_layout_find(vmlinux, &found))
		return;
	life->skel->data->life_kvm.vcpu_pid = found.vcpu_pid;
	life->skel->data->life_kvm.vcpu_kvm = found.vcpu_kvm;
	life->skel->data->life_kvm.kvm_mm = found.kvm_mm;
	life->skel->data->life_kvm.vcpu_id = found.vcpu_id;
}

int vmadj_life_open(struct btf *vmlinux, struct vmadj_life **ret_life)
{
	struct vmadj_life *life = calloc(1, sizeof(*life));
	int err;

	if (!life)
		return -ENOMEM;
	err = life_load(life);
	if (err) {
		vmadj_life_close(life);
		return err;
	}
	find_kvm(life, vmlinux);
	*ret_life = life;
	return 0;
}

void vmadj_life_close(struct vmadj_life *life)
{
	if (!life)
		return;
	ring_buffer__free(life->ring);
	vmadj_window_close(&life->threads);
	vmadj_window_close(&life->empty);
	life_bpf__destroy(life->skel);
	free(life);
}

struct bpf_object *vmadj_life_object(struct vmadj_life *life)
{
	return life->skel->obj;
}

int vmadj_life_share(const struct vmadj_life *life, struct bpf_object *object)
{
	const struct bpf_map *const ours[] = {
		life->skel->maps.life_task,
		life->skel->maps.life_slot_of,
		life->skel->maps.life_thread,
	};
	struct bpf_map *theirs;
	int err;

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		theirs = bpf_object__find_map_by_name(object, bpf_map__name(ours[i]));
		err = theirs ? bpf_map__reuse_fd(theirs, bpf_map__fd(ours[i])) : 0;
		if (err)
			return err;
	}
	return 0;
}

int vmadj_life_set_process(struct vmadj_life *life, pid_t tgid, const struct vmadj_process *process)
{
	return bpf_map_update_elem(bpf_map__fd(life->skel->maps.life_process), &tgid, process,
				   BPF_ANY);
}

int vmadj_life_unset_process(struct vmadj_life *life, pid_t tgid)
{
	return bpf_map_delete_elem(bpf_map__fd(life->skel->maps.life_process), &tgid);
}

/*
 * Runs an iterator and hands out its records of @size bytes. The kernel writes whole records,
 * but a read may end between two.
 */
static int scan(const struct bpf_program *prog, pid_t tgid, size_t size,
		void (*record)(void *data, const void *bytes), void *data)
{
	union bpf_iter_link_info only = { .task = { .pid = (__u32)tgid } };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts);
	char buf[4096];
	_cleanup_close_ int fd = -1;
	struct bpf_link *link;
	ssize_t got;
	int err;

	if (tgid) {
		opts.link_info = &only;
		opts.link_info_len = sizeof(only);
	}
	link = bpf_program__attach_iter(prog, &opts);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	err = fd < 0 ? fd : 0;
	(void)bpf_link__destroy(link);
	if (err)
		return err;
	while ((got = read(fd, buf, sizeof(buf) / size * size)) != 0) {
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		for (size_t at = 0; got > 0 && at + size <= (size_t)got; at += size)
			record(data, buf + at);
	}
	return 0;
}

struct qemu_call {
	void (*qemu)(void *data, const struct vmadj_event *event);
	void *data;
};

static void on_qemu(void *data, const void *bytes)
{
	const struct qemu_call *call = data;
	struct vmadj_event event;

	memcpy(&event, bytes, sizeof(event));
	if (call->qemu)
		call->qemu(call->data, &event);
}

int vmadj_life_scan_threads(struct vmadj_life *life, pid_t tgid,
			    void (*qemu)(void *data, const struct vmadj_event *event), void *data)
{
	struct qemu_call call = { qemu, data };

	return scan(life->skel->progs.life_scan_task, tgid, sizeof(struct vmadj_event), on_qemu,
		    &call);
}

struct file_call {
	void (*found)(void *data, const struct vmadj_kvm_file *file);
	void *data;
};

static void on_file(void *data, const void *bytes)
{
	const struct file_call *call = data;
	struct vmadj_kvm_file file;

	memcpy(&file, bytes, sizeof(file));
	call->found(call->data, &file);
}

int vmadj_life_scan_files(struct vmadj_life *life, pid_t tgid,
			  void (*found)(void *data, const struct vmadj_kvm_file *file), void *data)
{
	struct file_call call = { found, data };

	(void)vmadj_life_vcpus_known(life);
	return scan(life->skel->progs.life_scan_file, tgid, sizeof(struct vmadj_kvm_file), on_file,
		    &call);
}

/* The module of KVM may come at any time. The kernel's types take 6 MiB, so they are not kept. */
bool vmadj_life_vcpus_known(struct vmadj_life *life)
{
	volatile struct vmadj_kvm_layout *layout = &life->skel->data->life_kvm;
	struct btf *vmlinux;

	if (layout->vcpu_id < 0 && !life->module_tried && !access(MODULE_TYPES, R_OK)) {
		life->module_tried = true;
		vmlinux = btf__load_vmlinux_btf();
		if (vmlinux)
			find_kvm(life, vmlinux);
		btf__free(vmlinux);
	}
	return layout->vcpu_id >= 0;
}

uint32_t vmadj_life_slots(const struct vmadj_life *life)
{
	uint32_t fresh = __atomic_load_n(&life->skel->data->life_slots.fresh, __ATOMIC_ACQUIRE);

	return fresh < VMADJ_SLOTS ? fresh : VMADJ_SLOTS;
}

int vmadj_life_refresh(struct vmadj_life *life)
{
	return vmadj_window_reach(&life->threads, vmadj_life_slots(life));
}

struct vmadj_thread *vmadj_life_thread(const struct vmadj_life *life, uint32_t slot)
{
	return vmadj_window_at(&life->threads, slot);
}

void vmadj_life_give_back(struct vmadj_life *life, uint32_t slot)
{
	struct vmadj_slots *slots = (struct vmadj_slots *)&life->skel->data->life_slots;
	struct vmadj_thread *thread = vmadj_life_thread(life, slot);
	uint64_t *entry = vmadj_window_at(&life->empty, slots->tail % VMADJ_SLOTS);

	if (!thread || !entry)
		return;
	memset(thread, 0, sizeof(*thread));
	*entry = slot;
	__atomic_store_n(&slots->tail, slots->tail + 1, __ATOMIC_RELEASE);
}

uint64_t vmadj_life_lost(const struct vmadj_life *life)
{
	return life->skel->data->life_slots.lost + life->skel->bss->life_lost;
}

uint32_t vmadj_life_later(const struct vmadj_life *life)
{
	return *(volatile uint32_t *)&life->skel->data->life_slots.later;
}

int vmadj_life_event_fd(const struct vmadj_life *life)
{
	return ring_buffer__epoll_fd(life->ring);
}

int vmadj_life_events(struct vmadj_life *life,
		      void (*event)(void *data, const struct vmadj_event *event), void *data)
{
	int got;

	life->event = event;
	life->event_data = data;
	got = ring_buffer__consume(life->ring);
	return got < 0 ? got : 0;
}
