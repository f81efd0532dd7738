/* SPDX-License-Identifier: GPL-2.0-only */
/* test_vmlinux.c - every kernel type that bpf/ names is in the running kernel, as it is named */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <linux/types.h>

#include "bpf/guest.h"
#include "bpf/life.h"
#include "bpf/pagecache.h"
#include "bpf/sched.h"

#include "guest.skel.h"
#include "life.skel.h"
#include "pagecache.skel.h"
#include "sched.skel.h"

static struct btf *kernel;
static unsigned int compared; /* members */

static void load_kernel(void)
{
	kernel = btf__load_vmlinux_btf();
	if (libbpf_get_error(kernel))
		kernel = NULL;
}

static void free_kernel(void)
{
	btf__free(kernel);
}

TestSuite(vmlinux, .timeout = 30, .init = load_kernel, .fini = free_kernel);

static const struct btf_type *resolve(const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (btf_is_mod(type) || btf_is_typedef(type) || btf_is_type_tag(type))
		type = btf__type_by_id(btf, type->type);
	return type;
}

/* The member of that name, also within members without a name; NULL: there is none. */
static const struct btf_member *find_member(const struct btf *btf, const struct btf_type *type,
					    const char *name)
{
	const struct btf_member *members = btf_members(type), *found;

	for (__u32 i = 0; i < btf_vlen(type); i++) {
		const char *has = btf__name_by_offset(btf, members[i].name_off);
		const struct btf_type *inner = resolve(btf, members[i].type);

		if (!strcmp(has, name))
			return &members[i];
		if (*has || !btf_is_composite(inner))
			continue;
		found = find_member(btf, inner, name);
		if (found)
			return found;
	}
	return NULL;
}

static bool is_number(const struct btf_type *type)
{
	return btf_is_int(type) || btf_is_any_enum(type);
}

static void compare_structs(const struct btf *ours, const struct btf_type *mine,
			    const struct btf_type *theirs, const char *name);

/* Pointers to what they may; numbers as wide as they are; structs by their members. */
static void compare_types(const struct btf *ours, __u32 my_id, __u32 their_id, const char *name)
{
	const struct btf_type *mine = resolve(ours, my_id), *theirs = resolve(kernel, their_id);

	compared++;
	if (btf_is_ptr(mine)) {
		cr_expect(btf_is_ptr(theirs), "%s is no pointer", name);
	} else if (is_number(mine) && is_number(theirs)) {
		cr_expect(eq(u32, mine->size, theirs->size), "%s", name);
	} else if (btf_is_composite(mine)) {
		cr_expect(btf_is_composite(theirs), "%s is no struct", name);
		/* One with a name is compared on its own. */
		if (btf_is_composite(theirs) && !mine->name_off)
			compare_structs(ours, mine, theirs, name);
	} else if (btf_is_array(mine)) {
		cr_expect(btf_is_array(theirs), "%s is no array", name);
	}
}

static void compare_structs(const struct btf *ours, const struct btf_type *mine,
			    const struct btf_type *theirs, const char *name)
{
	const struct btf_member *members = btf_members(mine), *member;
	char path[128];

	for (__u32 i = 0; i < btf_vlen(mine); i++) {
		const char *field = btf__name_by_offset(ours, members[i].name_off);

		(void)snprintf(path, sizeof(path), "%s.%s", name, field);
		member = find_member(kernel, theirs, field);
		cr_expect(member != NULL, "the kernel has no %s", path);
		if (member)
			compare_types(ours, members[i].type, member->type, path);
	}
}

/* The header's text, NUL-ended: programs have types of their own, too. */
__asm__(".pushsection .rodata\n"
	"header_text: .incbin \"vmlinux/vmlinux.h\"\n"
	".byte 0\n"
	".popsection\n");
extern const char header_text[];

static bool is_kernels(const char *name)
{
	char opening[128];

	(void)snprintf(opening, sizeof(opening), "\nstruct %s {", name);
	return strstr(header_text, opening);
}

static void compare_object(const struct bpf_object *object)
{
	const struct btf *ours = bpf_object__btf(object);

	if (!kernel)
		cr_skip_test("this kernel tells nothing of its types");
	cr_assert(ours != NULL);
	for (__u32 id = 1; id < btf__type_cnt(ours); id++) {
		const struct btf_type *type = btf__type_by_id(ours, id);
		const char *name = btf__name_by_offset(ours, type->name_off);
		__s32 theirs;

		if (!btf_is_struct(type) || !is_kernels(name) || !btf_vlen(type))
			continue;
		theirs = btf__find_by_name_kind(kernel, name, BTF_KIND_STRUCT);
		cr_expect(gt(i32, theirs, 0), "the kernel has no struct %s", name);
		if (theirs > 0)
			compare_structs(ours, type, btf__type_by_id(kernel, (__u32)theirs), name);
	}
	cr_expect(gt(u32, compared, 5));
}

Test(vmlinux, life_names_types_as_they_are)
{
	struct life_bpf *skel = life_bpf__open();

	cr_assert(skel != NULL);
	compare_object(skel->obj);
	life_bpf__destroy(skel);
}

Test(vmlinux, sched_names_types_as_they_are)
{
	struct sched_bpf *skel = sched_bpf__open();

	cr_assert(skel != NULL);
	compare_object(skel->obj);
	sched_bpf__destroy(skel);
}

Test(vmlinux, pagecache_names_types_as_they_are)
{
	struct pagecache_bpf *skel = pagecache_bpf__open();

	cr_assert(skel != NULL);
	compare_object(skel->obj);
	pagecache_bpf__destroy(skel);
}

Test(vmlinux, guest_names_types_as_they_are)
{
	struct guest_bpf *skel = guest_bpf__open();

	cr_assert(skel != NULL);
	compare_object(skel->obj);
	guest_bpf__destroy(skel);
}
