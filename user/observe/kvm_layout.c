// SPDX-License-Identifier: GPL-2.0-only
/* kvm_layout.c - where this kernel's KVM keeps what life.bpf.c reads */
#include "user/observe/kvm_layout.h"

#include <errno.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

/* Byte offset of a member that is no bit field and in no union; -1: there is none. */
static __s32 member_offset(const struct btf *btf, __s32 type_id, const char *name)
{
	const struct btf_type *type = btf__type_by_id(btf, (__u32)type_id);
	const struct btf_member *member = btf_members(type);

	for (__u32 i = 0; i < btf_vlen(type); i++) {
		const char *has = btf__name_by_offset(btf, member[i].name_off);

		if (has && !strcmp(has, name))
			return (__s32)(btf_member_bit_offset(type, i) / 8);
	}
	return -1;
}

int vmadj_kvm_layout_find(struct btf *vmlinux, struct vmadj_kvm_layout *ret_layout)
{
	struct vmadj_kvm_layout layout = { -1, -1, -1, -1 };
	struct btf *module = NULL, *btf = vmlinux;
	__s32 vcpu, kvm;

	vcpu = btf__find_by_name_kind(btf, "kvm_vcpu", BTF_KIND_STRUCT);
	if (vcpu < 0) {
		module = btf__load_module_btf("kvm", vmlinux);
		if (!module || libbpf_get_error(module))
			return -ENOENT;
		btf = module;
		vcpu = btf__find_by_name_kind(btf, "kvm_vcpu", BTF_KIND_STRUCT);
	}
	kvm = btf__find_by_name_kind(btf, "kvm", BTF_KIND_STRUCT);
	if (vcpu >= 0 && kvm >= 0) {
		layout.vcpu_id = member_offset(btf, vcpu, "vcpu_id");
		layout.vcpu_pid = member_offset(btf, vcpu, "pid");
		layout.vcpu_kvm = member_offset(btf, vcpu, "kvm");
		layout.kvm_mm = member_offset(btf, kvm, "mm");
	}
	btf__free(module);
	if (layout.vcpu_id < 0)
		return -ENOENT;
	*ret_layout = layout;
	return 0;
}
