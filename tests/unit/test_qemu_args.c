/* SPDX-License-Identifier: GPL-2.0-only */
/* test_qemu_args.c - what QEMU's command line tells */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/words.h"
#include "user/vm/identity.h"
#include "user/vm/qemu_args.h"

TestSuite(qemu_args, .timeout = 10);

struct option_case {
	char line[128];
	char option[16];
	char value[64]; /* "-": there is none */
};

ParameterizedTestParameters(qemu_args, the_last_of_an_option_counts)
{
	static struct option_case cases[] = {
		{ "qemu -uuid 1234 -m 5", "-uuid", "1234" },
		{ "qemu --uuid 1234", "-uuid", "1234" },
		{ "qemu -m 5 -uuid 1 -uuid 2", "-uuid", "2" },
		{ "qemu -uuid", "-uuid", "-" },
		{ "qemu -uuid ", "-uuid", "" },
		{ "qemu -uuids 1", "-uuid", "-" },
		{ "qemu -name -uuid", "-uuid", "-" }, /* that is -name's value */
		{ "qemu", "-uuid", "-" },
		{ "", "-uuid", "-" },
		{ "-uuid 1", "-uuid", "1" },
	};

	return cr_make_param_array(struct option_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct option_case *c, qemu_args, the_last_of_an_option_counts)
{
	size_t len;
	char *line = vmadj_words(c->line, &len);
	const char *value = vmadj_qemu_option(line, len, c->option);

	cr_assert(zero(int, strcmp(value ? value : "-", c->value)), "%s", c->line);
	free(line);
}

struct name_case {
	char line[96];
	char name[64]; /* empty: there is none */
};

ParameterizedTestParameters(qemu_args, the_guest_has_a_name)
{
	static struct name_case cases[] = {
		{ "qemu -name web1", "web1" },
		{ "qemu -name web1,debug-threads=on", "web1" },
		{ "qemu -name debug-threads=on,guest=web1", "web1" },
		{ "qemu -name guest=web1,process=x", "web1" },
		{ "qemu -name a,,b", "a,b" },
		{ "qemu -name guest=a,,b,,,debug-threads=on", "a,b," },
		{ "qemu -name process=x", "" },
		{ "qemu -name debug-threads=on", "" },
		{ "qemu -name ", "" },
		{ "qemu -name", "" },
		{ "qemu", "" },
		{ "qemu -name guest=", "" },
		{ "qemu -name a=b", "" },
	};

	return cr_make_param_array(struct name_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct name_case *c, qemu_args, the_guest_has_a_name)
{
	char name[64] = "";
	size_t len;
	char *line = vmadj_words(c->line, &len);
	bool has = vmadj_qemu_name(line, len, name, sizeof(name));

	cr_assert(eq(int, has, c->name[0] != '\0'), "%s", c->line);
	if (has)
		cr_assert(eq(str, name, c->name), "%s", c->line);
	free(line);
}

Test(qemu_args, a_name_that_does_not_fit_is_cut)
{
	char name[4];
	size_t len;
	char *line = vmadj_words("qemu -name abcdefgh", &len);

	cr_assert(vmadj_qemu_name(line, len, name, sizeof(name)));
	cr_assert(eq(str, name, "abc"));
	free(line);
}

struct value_case {
	char line[160];
	char option[16], part[32];
	bool has;
};

ParameterizedTestParameters(qemu_args, any_of_an_option_may_have_a_part)
{
	static struct value_case cases[] = {
		{ "qemu -chardev socket,id=a -chardev socket,id=charmonitor,fd=3", "-chardev",
		  "id=charmonitor", true },
		{ "qemu -chardev socket,id=charmonitor2", "-chardev", "id=charmonitor", false },
		{ "qemu -name id=charmonitor", "-chardev", "id=charmonitor", false },
		{ "qemu -chardev", "-chardev", "id=charmonitor", false },
		{ "qemu -mon chardev=q,mode=control", "-mon", "mode=control", true },
	};

	return cr_make_param_array(struct value_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct value_case *c, qemu_args, any_of_an_option_may_have_a_part)
{
	size_t len;
	char *line = vmadj_words(c->line, &len);

	cr_assert(eq(int, vmadj_qemu_has_value(line, len, c->option, c->part), c->has), "%s",
		  c->line);
	free(line);
}

struct args_case {
	char line[160];
	unsigned int cpus, helpers, late_helpers;
	bool kvm_only, no_machine;
};

ParameterizedTestParameters(qemu_args, threads_and_accelerators_are_told)
{
	static struct args_case cases[] = {
		{ "qemu", 1, 1, 0, false, false },
		{ "qemu -smp 4", 4, 1, 0, false, false },
		{ "qemu -smp cpus=3,maxcpus=8", 3, 1, 0, false, false },
		{ "qemu -smp sockets=2,cores=3,threads=2", 12, 1, 0, false, false },
		{ "qemu -smp maxcpus=8", 8, 1, 0, false, false },
		{ "qemu -smp 2,sockets=2", 2, 1, 0, false, false },
		{ "qemu -smp 4 -accel tcg,thread=single", 1, 1, 0, false, false },
		{ "qemu -smp 4 -icount shift=0", 1, 1, 0, false, false },
		{ "qemu -object iothread,id=a -object iothread,id=b", 1, 3, 0, false, false },
		{ "qemu -object memory-backend-ram,id=a", 1, 1, 0, false, false },
		{ "qemu -object qom-type=iothread,id=a", 1, 2, 0, false, false },
		{ "qemu -qmp unix:/q,server=on", 1, 2, 0, false, false },
		{ "qemu -qmp unix:/q -qmp unix:/r", 1, 2, 0, false, false },
		{ "qemu -mon chardev=q,mode=control", 1, 2, 0, false, false },
		{ "qemu -mon chardev=q,mode=readline", 1, 1, 0, false, false },
		{ "qemu -vnc none", 1, 1, 1, false, false },
		{ "qemu -enable-kvm", 1, 1, 0, true, false },
		{ "qemu --enable-kvm", 1, 1, 0, true, false },
		{ "qemu -accel kvm", 1, 1, 0, true, false },
		{ "qemu -accel kvm -accel tcg", 1, 1, 0, false, false },
		{ "qemu -accel tcg", 1, 1, 0, false, false },
		{ "qemu -machine q35,accel=kvm", 1, 1, 0, true, false },
		{ "qemu -machine q35,accel=kvm:tcg", 1, 1, 0, false, false },
		{ "qemu -machine none", 1, 1, 0, false, true },
		{ "qemu -M none", 1, 1, 0, false, true },
		{ "qemu -machine none,accel=kvm:tcg", 1, 1, 0, false, true },
		{ "qemu -machine type=none", 1, 1, 0, false, true },
		{ "qemu -machine q35 -name none", 1, 1, 0, false, false },
	};

	return cr_make_param_array(struct args_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct args_case *c, qemu_args, threads_and_accelerators_are_told)
{
	struct vmadj_identity is = { 0 };
	size_t len;
	char *line = vmadj_words(c->line, &len);

	vmadj_qemu_args_read(line, len, &is);
	cr_assert(eq(u32, is.cpus, c->cpus), "%s", c->line);
	cr_assert(eq(u32, is.helpers, c->helpers), "%s", c->line);
	cr_assert(eq(u32, is.late_helpers, c->late_helpers), "%s", c->line);
	cr_assert(eq(int, is.kvm_only, c->kvm_only), "%s", c->line);
	cr_assert(eq(int, is.no_machine, c->no_machine), "%s", c->line);
	free(line);
}

struct absurd {
	char smp[48];
};

ParameterizedTestParameters(qemu_args, absurd_numbers_of_cpus_are_none)
{
	static struct absurd cases[] = { { "0" }, { "-1" },  { "99999999999999999999" }, { "x" },
					 { "" },  { "1e3" }, { "cpus=4294967297" } };

	return cr_make_param_array(struct absurd, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct absurd *c, qemu_args, absurd_numbers_of_cpus_are_none)
{
	struct vmadj_identity is = { 0 };
	char text[80];
	size_t len;
	char *line;

	(void)snprintf(text, sizeof(text), "qemu -smp %s", c->smp);
	line = vmadj_words(text, &len);
	vmadj_qemu_args_read(line, len, &is);
	cr_assert(le(u32, is.cpus, 1), "%s", text);
	free(line);
}

Test(qemu_args, products_of_absurd_numbers_stay_bounded)
{
	struct vmadj_identity is = { 0 };
	size_t len;
	char *line = vmadj_words("qemu -smp sockets=4096,dies=4096,clusters=4096,cores=4096,"
				 "threads=4096",
				 &len);

	vmadj_qemu_args_read(line, len, &is);
	/* As many vCPU threads as no VM has; an overflow to some small number would be a lie. */
	cr_assert(is.cpus == 0 || is.cpus >= 4096, "%u", is.cpus);
	free(line);
}
