// SPDX-License-Identifier: GPL-2.0-only
/* test_cpu_owner.c - a weight set through systemd or libvirt, which own the group */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/cpu_tree.h"
#include "user/actuate/cpu_private.h"

#define GROUP "/system.slice/vm.service"

/* systemd, as far as it is asked; and libvirt. */
static struct owner {
	sd_bus *bus;
	const char *error;  /* answered with that; NULL: no error */
	const char *writes; /* the file that it then writes, NULL: none */
	bool silent;	    /* never answers */
	unsigned int asked;
	char unit[64], property[32];
	int runtime;
	uint64_t value;

	vmadj_libvirt_done done;
	void *userdata;
	char uuid[64];
	const void *forgotten;
} owner;

static struct answer {
	unsigned int n;
	int err;
	char why[256];
} answer;

static const struct vmadj_cpu_roots *roots;
static struct vmadj_target vm;

static void make(void)
{
	roots = cpu_tree_make();
	vm = cpu_tree_vm();
	cpu_tree_write("run/systemd/system/x", "");
}

static void clean(void)
{
	owner.bus = sd_bus_close_unref(owner.bus);
	cpu_tree_remove();
}

TestSuite(cpu_owner, .timeout = 20, .init = make, .fini = clean);

static void owner_writes(void)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRIu64 "\n",
		       owner.value == UINT64_MAX ? 100 : owner.value);
	if (owner.writes)
		cpu_tree_write(owner.writes, text);
}

static int on_call(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const char *unit, *property;

	(void)userdata;
	(void)error;
	cr_assert(sd_bus_message_is_method_call(call, "org.freedesktop.systemd1.Manager",
						"SetUnitProperties") > 0);
	cr_assert(gt(int,
		     sd_bus_message_read(call, "sba(sv)", &unit, &owner.runtime, 1, &property, "t",
					 &owner.value),
		     0));
	(void)snprintf(owner.unit, sizeof(owner.unit), "%s", unit);
	(void)snprintf(owner.property, sizeof(owner.property), "%s", property);
	owner.asked++;
	if (owner.silent)
		return 1;
	if (owner.error)
		return sd_bus_reply_method_errorf(call, owner.error, "no such luck");
	owner_writes();
	return sd_bus_reply_method_return(call, NULL);
}

/* Two ends of a socket, without a bus between them. */
static sd_bus *connect_owner(void)
{
	sd_id128_t id = SD_ID128_MAKE(1, 2, 3, 4, 5, 6, 7, 8, 9, a, b, c, d, e, f, 10);
	sd_bus *client = NULL;
	int fds[2];

	cr_assert(
		zero(int, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds)));
	cr_assert(ge(int, sd_bus_new(&owner.bus), 0));
	cr_assert(ge(int, sd_bus_set_fd(owner.bus, fds[0], fds[0]), 0));
	cr_assert(ge(int, sd_bus_set_server(owner.bus, 1, id), 0));
	cr_assert(ge(int, sd_bus_set_anonymous(owner.bus, 1), 0));
	cr_assert(ge(int,
		     sd_bus_add_object(owner.bus, NULL, "/org/freedesktop/systemd1", on_call, NULL),
		     0));
	cr_assert(ge(int, sd_bus_new(&client), 0));
	cr_assert(ge(int, sd_bus_set_fd(client, fds[1], fds[1]), 0));
	cr_assert(ge(int, sd_bus_start(owner.bus), 0));
	cr_assert(ge(int, sd_bus_start(client), 0));
	cr_assert(ge(int, sd_bus_attach_event(owner.bus, cpu_tree_event(), 0), 0));
	cr_assert(ge(int, sd_bus_attach_event(client, cpu_tree_event(), 0), 0));
	return client;
}

static struct vmadj_cpu *knob_with_systemd(int version, struct vmadj_cpu_place *ret_place)
{
	struct vmadj_cpu *knob;
	char pids[16];
	sd_bus *bus;

	(void)snprintf(pids, sizeof(pids), "%d", getpid());
	cpu_tree_process(&(struct cpu_tree_process){ .pid = getpid(),
						     .ppid = 1,
						     .cgroup = version == 1 ? "4:cpu:" GROUP "\n"
									    : "0::" GROUP "\n" });
	cpu_tree_group(version, "", "1");
	cpu_tree_group(version, GROUP, pids);
	cpu_tree_group(version, "/system.slice/other.service", "950");
	knob = cpu_tree_knob(roots, NULL);
	bus = connect_owner();
	vmadj_cpu_use_bus(knob, bus);
	(void)sd_bus_unref(bus);
	owner.writes = version == 1 ? "v1/cpu" GROUP "/cpu.shares" : "v2" GROUP "/cpu.weight";
	cr_assert(zero(int, vmadj_cpu_find(knob, &vm, ret_place)));
	cr_assert(eq(str, (char *)ret_place->owner, "systemd"));
	return knob;
}

static void on_done(void *userdata, int err, const char *why)
{
	cr_assert(eq(ptr, userdata, &answer));
	answer.n++;
	answer.err = err;
	(void)snprintf(answer.why, sizeof(answer.why), "%s", why);
}

/* Until the answer is there, or about that long: few turns of the loop end early. */
static void serve(double seconds)
{
	for (int i = 0; i < (int)(seconds * 100) && !answer.n; i++)
		cr_assert(ge(int, sd_event_run(cpu_tree_event(), 10000), 0));
}

static int set(struct vmadj_cpu *knob, const struct vmadj_cpu_place *place, int nice)
{
	return vmadj_cpu_set(knob, &vm, place, nice, on_done, &answer);
}

Test(cpu_owner, systemd_is_told_its_weight_and_the_exact_one_follows)
{
	struct vmadj_cpu_place place;
	struct vmadj_cpu *knob = knob_with_systemd(2, &place);

	cr_assert(eq(int, set(knob, &place, 19), -EINPROGRESS), "%s", vmadj_cpu_why(knob));
	cr_expect(zero(uint, answer.n), "not before the answer");
	serve(10);
	cr_assert(eq(uint, answer.n, 1));
	cr_expect(zero(int, answer.err), "%s", answer.why);
	cr_expect(eq(str, owner.unit, "vm.service"));
	cr_expect(eq(str, owner.property, "CPUWeight"));
	cr_expect(eq(int, owner.runtime, 1));
	cr_expect(eq(u64, owner.value, 1));
	cr_expect(eq(str, (char *)cpu_tree_read("v2" GROUP "/cpu.weight.nice"), "19"));
}

Test(cpu_owner, systemd_on_version_1_is_told_shares)
{
	struct vmadj_cpu_place place;
	struct vmadj_cpu *knob = knob_with_systemd(1, &place);

	cr_assert(eq(int, set(knob, &place, -5), -EINPROGRESS));
	serve(10);
	cr_expect(zero(int, answer.err), "%s", answer.why);
	cr_expect(eq(str, owner.property, "CPUShares"));
	cr_expect(eq(u64, owner.value, 3121));
}

/* A unit that never had a weight of its own gets none. */
Test(cpu_owner, the_default_goes_back_as_not_set)
{
	struct vmadj_cpu_place place;
	struct vmadj_cpu *knob = knob_with_systemd(2, &place);

	cr_assert(eq(int, vmadj_cpu_put(knob, &vm, &place, "weight=100", on_done, &answer),
		     -EINPROGRESS));
	serve(10);
	cr_expect(zero(int, answer.err), "%s", answer.why);
	cr_expect(eq(u64, owner.value, UINT64_MAX));
}

Test(cpu_owner, a_weight_of_its_own_goes_back_as_it_was)
{
	struct vmadj_cpu_place place;
	struct vmadj_cpu *knob = knob_with_systemd(2, &place);

	cr_assert(eq(int, vmadj_cpu_put(knob, &vm, &place, "weight=250", on_done, &answer),
		     -EINPROGRESS));
	serve(10);
	cr_expect(zero(int, answer.err), "%s", answer.why);
	cr_expect(eq(u64, owner.value, 250));
	cr_expect(eq(str, (char *)cpu_tree_read("v2" GROUP "/cpu.weight.nice"), "0\n"),
		  "a weight is not overwritten");
}

static void expect_refused(const char *error, int err)
{
	struct vmadj_cpu_place place;
	struct vmadj_cpu *knob = knob_with_systemd(2, &place);

	owner.error = error;
	cr_assert(eq(int, set(knob, &place, 5), -EINPROGRESS));
	serve(10);
	cr_expect(eq(uint, answer.n, 1));
	cr_expect(eq(int, answer.err, err), "%s", answer.why);
	cr_expect(strstr(answer.why, "no such luck") != NULL, "%s", answer.why);
	cr_expect(eq(str, (char *)cpu_tree_read("v2" GROUP "/cpu.weight.nice"), "0\n"));
}

Test(cpu_owner, a_unit_that_systemd_does_not_know_is_gone)
{
	expect_refused("org.freedesktop.systemd1.NoSuchUnit", -ESRCH);
}

Test(cpu_owner, systemd_may_not_allow_it)
{
	expect_refused(SD_BUS_ERROR_ACCESS_DENIED, -EACCES);
}

Test(cpu_owner, any_other_refusal_is_told)
{
	expect_refused("org.freedesktop.systemd1.Whatever", -EIO);
}

Test(cpu_owner, what_systemd_took_but_did_not_do_is_an_error)
{
	struct vmadj_cpu_place place;
	struct vmadj_cpu *knob = knob_with_systemd(2, &place);

	owner.writes = NULL;
	cr_assert(eq(int, set(knob, &place, 5), -EINPROGRESS));
	serve(15);
	cr_expect(eq(int, answer.err, -EIO), "%s", answer.why);
	cr_expect(eq(str, (char *)cpu_tree_read("v2" GROUP "/cpu.weight.nice"), "0\n"));
}

Test(cpu_owner, a_connection_that_breaks_is_told)
{
	struct vmadj_cpu_place place;
	struct vmadj_cpu *knob = knob_with_systemd(2, &place);

	owner.silent = true;
	cr_assert(eq(int, set(knob, &place, 5), -EINPROGRESS));
	while (!owner.asked)
		cr_assert(ge(int, sd_event_run(cpu_tree_event(), 10000), 0));
	sd_bus_close(owner.bus);
	serve(10);
	cr_expect(eq(uint, answer.n, 1));
	cr_expect(lt(int, answer.err, 0));
}

Test(cpu_owner, nobody_is_called_back_after_the_end)
{
	struct vmadj_cpu_place place;
	struct vmadj_cpu *knob = knob_with_systemd(2, &place);

	cr_assert(eq(int, set(knob, &place, 5), -EINPROGRESS));
	(void)cpu_tree_knob(roots, NULL); /* frees the other */
	serve(0.3);
	cr_expect(zero(uint, answer.n));
}

/* A VM that ended while its owner was asked is not changed any more. */
Test(cpu_owner, a_vm_that_ended_meanwhile_is_gone)
{
	struct vmadj_cpu_place place;
	struct vmadj_cpu *knob = knob_with_systemd(2, &place);
	char path[64];

	cr_assert(eq(int, set(knob, &place, 5), -EINPROGRESS));
	(void)snprintf(path, sizeof(path), "proc/%d/stat", getpid());
	cpu_tree_write(path, "");
	serve(10);
	cr_expect(eq(int, answer.err, -ESRCH), "%s", answer.why);
	cr_expect(eq(str, (char *)cpu_tree_read("v2" GROUP "/cpu.weight.nice"), "0\n"));
}

/* --- libvirt --- */

#define DOMAIN "/machine/qemu-1-web1.libvirt-qemu"

static int libvirt_ask(struct vmadj_libvirt *libvirt, const char *uuid,
		       enum vmadj_libvirt_what what, uint64_t value, vmadj_libvirt_done done,
		       void *userdata)
{
	(void)libvirt;
	cr_assert(eq(int, what, VMADJ_LIBVIRT_SET_SHARES));
	(void)snprintf(owner.uuid, sizeof(owner.uuid), "%s", uuid);
	owner.value = value;
	owner.done = done;
	owner.userdata = userdata;
	owner.asked++;
	return owner.silent ? -EBUSY : 0;
}

static void libvirt_forget(struct vmadj_libvirt *libvirt, const void *userdata)
{
	(void)libvirt;
	owner.forgotten = userdata;
}

static struct vmadj_cpu *knob_with_libvirt(struct vmadj_cpu_place *ret_place)
{
	static int somebody;
	struct vmadj_cpu *knob;
	char pids[16];

	(void)snprintf(pids, sizeof(pids), "%d", getpid());
	cpu_tree_process(&(struct cpu_tree_process){
		.pid = getpid(), .ppid = 1, .cgroup = "4:cpu:" DOMAIN "/emulator\n" });
	cpu_tree_group(1, "", "1");
	cpu_tree_group(1, DOMAIN, "");
	cpu_tree_group(1, DOMAIN "/emulator", pids);
	knob = cpu_tree_knob(roots, (struct vmadj_libvirt *)&somebody);
	knob->ask = libvirt_ask;
	knob->forget = libvirt_forget;
	vm.manager = "libvirt";
	vm.uuid = "5f0c2c1e-8a38-4f0a-9d9c-0242ac120002";
	owner.writes = "v1/cpu" DOMAIN "/cpu.shares";
	cr_assert(zero(int, vmadj_cpu_find(knob, &vm, ret_place)));
	cr_assert(eq(str, (char *)ret_place->owner, "libvirt"));
	return knob;
}

Test(cpu_owner, libvirt_is_told_the_shares)
{
	const struct vmadj_libvirt_answer fine = { .error = "" };
	struct vmadj_cpu_place place;
	struct vmadj_cpu *knob = knob_with_libvirt(&place);

	cr_assert(eq(int, set(knob, &place, 10), -EINPROGRESS));
	cr_expect(eq(str, owner.uuid, (char *)vm.uuid));
	cr_expect(eq(u64, owner.value, 110));
	owner_writes();
	owner.done(owner.userdata, 0, &fine);
	serve(10);
	cr_expect(eq(uint, answer.n, 1));
	cr_expect(zero(int, answer.err), "%s", answer.why);
	cr_expect(eq(str, (char *)cpu_tree_read("v1/cpu" DOMAIN "/cpu.shares"), "110"));
}

Test(cpu_owner, libvirts_words_are_told)
{
	const struct vmadj_libvirt_answer no = { .error = "domain is locked" };
	struct vmadj_cpu_place place;
	struct vmadj_cpu *knob = knob_with_libvirt(&place);

	cr_assert(eq(int, set(knob, &place, 10), -EINPROGRESS));
	owner.done(owner.userdata, -EIO, &no);
	cr_expect(eq(uint, answer.n, 1));
	cr_expect(eq(int, answer.err, -EIO));
	cr_expect(strstr(answer.why, "domain is locked") != NULL, "%s", answer.why);
}

/* Other questions about the VM are under way often: its guest's agent, its balloon. */
Test(cpu_owner, a_libvirt_that_is_busy_with_this_vm_is_asked_again)
{
	const struct vmadj_libvirt_answer fine = { .error = "" };
	struct vmadj_cpu_place place;
	struct vmadj_cpu *knob = knob_with_libvirt(&place);

	owner.silent = true;
	cr_assert(eq(int, set(knob, &place, 10), -EINPROGRESS));
	serve(0.2);
	cr_expect(zero(uint, answer.n), "%s", answer.why);
	cr_expect(ge(uint, owner.asked, 3));
	owner.silent = false;
	serve(0.2);
	owner_writes();
	owner.done(owner.userdata, 0, &fine);
	serve(10);
	cr_expect(eq(uint, answer.n, 1));
	cr_expect(zero(int, answer.err), "%s", answer.why);
	cr_expect(eq(str, (char *)cpu_tree_read("v1/cpu" DOMAIN "/cpu.shares"), "110"));
}

Test(cpu_owner, but_not_for_ever)
{
	struct vmadj_cpu_place place;

	owner.silent = true;
	cr_assert(eq(int, set(knob_with_libvirt(&place), &place, 10), -EINPROGRESS));
	serve(15);
	cr_expect(eq(uint, answer.n, 1));
	cr_expect(eq(int, answer.err, -EBUSY));
}

Test(cpu_owner, libvirt_is_asked_to_forget)
{
	struct vmadj_cpu_place place;
	struct vmadj_cpu *knob = knob_with_libvirt(&place);

	cr_assert(eq(int, set(knob, &place, 10), -EINPROGRESS));
	(void)cpu_tree_knob(roots, NULL); /* frees the other */
	cr_expect(owner.forgotten == owner.userdata);
	cr_expect(zero(uint, answer.n));
}
