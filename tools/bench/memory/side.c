// SPDX-License-Identifier: GPL-2.0-only
/* side.c - the guests, the daemon and the samples of one side */
#include "tools/bench/memory/sides.h"
#include "tools/bench/memory/side.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/util/file.h"

#define LOG_MAX	   (1 << 20)
#define CONFIG_MAX 4096
#define KEEP_S	   60 /* memory_keep as it is by default, without the scale */
#define LINE_MAX_  4000
#define SEED	   20131
#define FAILED	   126

static void name_of(const struct vmadj_exp_place *place, size_t i, char name[48])
{
	(void)snprintf(name, 48, "mem-%d-%zu-%zu", (int)getpid(), place->index, i);
}

/* The pattern that all its VMs match, and no others. */
static void names_of(const struct vmadj_exp_place *place, pid_t of, char pattern[32])
{
	(void)snprintf(pattern, 32, "mem-%d-%zu-*", (int)of, place->index);
}

/* --- guests ------------------------------------------------------------- */

static int boot(struct vmadj_bench *bench, struct vmadj_exp_place *place, size_t i)
{
	const char *source = place->side->source ? place->side->source : "agent";
	char name[48], disk[512], args[640];
	const struct vmadj_lab_linux want = { .name = name,
					      .load = "files",
					      .mem_mib = place->what->max_mib,
					      .extra_args = args,
					      .own_session = true,
					      .balloon = true,
					      .virtio_serial = true,
					      .agent = !strcmp(source, "agent"),
					      .qga = !strcmp(source, "qemu-ga") };
	int err = vmadj_bench_output("bench/files.img", disk, sizeof(disk));

	if (err)
		return err;
	name_of(place, i, name);
	(void)snprintf(args, sizeof(args),
		       "-drive file=%s,if=virtio,format=raw,read-only=on,cache=%s", disk,
		       place->side->cache);
	err = vmadj_lab_linux_start(&want, &place->vm[i]);
	return err ? vmadj_bench_fail(bench, err, "%s", vmadj_lab_why()) : 0;
}

int vmadj_exp_side_boot(struct vmadj_bench *bench, struct vmadj_exp_place *place)
{
	int err = 0;

	for (size_t i = 0; i < place->what->n_vms && !err; i++) {
		unsigned int mib =
			place->side->policy ? place->what->split_mib : place->side->fixed_mib[i];

		err = boot(bench, place, i);
		if (err)
			break;
		err = vmadj_exp_balloon(vmadj_lab_vm_path(place->vm[i], VMADJ_LAB_QMP), mib);
		if (err)
			err = vmadj_bench_fail(bench, err, "the balloon of a guest cannot be set");
		else
			place->port[i] = vmadj_exp_connect(
				vmadj_lab_vm_path(place->vm[i], VMADJ_LAB_SERIAL));
		if (place->port[i] < 0)
			err = vmadj_bench_fail(bench, place->port[i], "no port of a guest");
	}
	return err;
}

int vmadj_exp_side_go(struct vmadj_bench *bench, struct vmadj_exp_place *place)
{
	char line[LINE_MAX_];

	for (size_t i = 0; i < place->what->n_vms; i++) {
		int len = snprintf(line, sizeof(line), "%zu %s\n", SEED + i,
				   place->what->vm[i].streams);

		if (len >= (int)sizeof(line))
			return -E2BIG;
		if (send(place->port[i], line, (size_t)len, MSG_NOSIGNAL) != len)
			return vmadj_bench_fail(bench, -EPIPE, "a guest takes no load");
	}
	return 0;
}

/* --- daemon and samples ------------------------------------------------- */

static int config_of(const struct vmadj_exp_place *place, char config[CONFIG_MAX])
{
	const struct vmadj_exp_case *what = place->what;
	size_t vms_mib = what->n_vms * what->split_mib, host_mib = vms_mib * 5 / 4;
	char name[64], file[512], vms[32];
	int len, err;

	(void)snprintf(name, sizeof(name), "policies/%s", place->side->policy);
	err = vmadj_bench_served_policy(name, file, sizeof(file));
	if (err)
		return err;
	names_of(place, getpid(), vms);
	len = snprintf(config, CONFIG_MAX,
		       "interval = %dms\ncost_max = none\nhost_memory = %zuM\nhost_reserve = %zuM\n"
		       "memory_in_motion = %zu\n"
		       "[policy %s]\narmed = yes\nfile = %s\n%s"
		       "[vm *]\nmanage = no\n"
		       "[vm %s]\nmanage = yes\nmemory_min = %uM\nmemory_max = %uM\n"
		       "memory_reserve = 16M\nmemory_keep = %ds\n",
		       1000 / VMADJ_EXP_TICKS_S, host_mib, host_mib - vms_mib, what->n_vms,
		       place->side->policy, file, place->side->params, vms, what->min_mib,
		       what->max_mib, KEEP_S / VMADJ_EXP_TIME);
	return len < CONFIG_MAX ? 0 : -E2BIG;
}

static __attribute__((noreturn)) void sampler_main(const struct vmadj_exp_place *place,
						   const char *program)
{
	char socket_path[96], out[96], interval[16], vms[32];
	int fd;

	(void)snprintf(socket_path, sizeof(socket_path), "%s/run/control.sock", place->served.dir);
	(void)snprintf(out, sizeof(out), "%s/samples", place->served.dir);
	(void)snprintf(interval, sizeof(interval), "%g", 1.0 / VMADJ_EXP_TICKS_S);
	names_of(place, getppid(), vms);
	fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_DFL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(fd, STDOUT_FILENO);
	(void)execl(program, "vmadjust-bpf", "dump", "--json", "--interval", interval, "--vm", vms,
		    "--socket", socket_path, (char *)NULL);
	_exit(FAILED);
}

int vmadj_exp_side_serve(struct vmadj_bench *bench, struct vmadj_exp_place *place)
{
	char config[CONFIG_MAX], program[512];
	int err;

	if (!place->side->policy)
		return 0;
	err = config_of(place, config);
	if (!err)
		err = vmadj_bench_served_start(bench, config, &place->served);
	if (!err)
		err = vmadj_bench_output("vmadjust-bpf", program, sizeof(program));
	if (err)
		return err;
	place->sampler = fork();
	if (!place->sampler)
		sampler_main(place, program);
	return place->sampler < 0 ? -errno : 0;
}

int vmadj_exp_side_check(struct vmadj_bench *bench, const struct vmadj_exp_place *place)
{
	for (size_t i = 0; i < place->what->n_vms; i++) {
		if (kill(vmadj_lab_vm_pid(place->vm[i]), 0))
			return vmadj_bench_fail(bench, -EIO, "%s: a guest ended",
						place->side->title);
	}
	if (place->sampler > 0 && waitpid(place->sampler, NULL, WNOHANG))
		return vmadj_bench_fail(bench, -EIO, "%s: the daemon ended", place->side->title);
	return 0;
}

int vmadj_exp_side_read(struct vmadj_bench *bench, const struct vmadj_exp_place *place,
			double start_s, struct vmadj_exp_track *ret_tracks)
{
	char path[96];
	int err = 0;

	for (size_t i = 0; i < place->what->n_vms && !err; i++) {
		err = vmadj_exp_read_console(vmadj_lab_vm_path(place->vm[i], VMADJ_LAB_CONSOLE),
					     place->what->end_s, &ret_tracks[i]);
	}
	if (err)
		return vmadj_bench_fail(bench, err, "%s: a guest's load ended", place->side->title);
	(void)snprintf(path, sizeof(path), "%s/samples", place->served.dir);
	err = vmadj_exp_read_samples(place, path, start_s, ret_tracks);
	return err ? vmadj_bench_fail(bench, err, "%s: no samples of its VMs", place->side->title)
		   : 0;
}

/* What its daemon said, beside the picture: for whoever wonders why. */
static void keep_log(const struct vmadj_exp_place *place)
{
	char name[128], from[96], to[512], *text = malloc(LOG_MAX);
	ssize_t len;
	FILE *log;

	(void)snprintf(name, sizeof(name), "bench/%s-%s%s%s.log", place->what->name,
		       place->side->policy, place->side->source ? "-" : "",
		       place->side->source ? place->side->source : "");
	(void)snprintf(from, sizeof(from), "%s/log", place->served.dir);
	len = text ? vmadj_file_read(AT_FDCWD, from, text, LOG_MAX) : -1;
	log = len > 0 && !vmadj_bench_output(name, to, sizeof(to)) ? fopen(to, "we") : NULL;
	if (log) {
		(void)fwrite(text, 1, (size_t)len, log);
		(void)fclose(log);
	}
	free(text);
}

void vmadj_exp_side_end(struct vmadj_exp_place *place)
{
	if (place->served.pid > 0)
		keep_log(place);
	if (place->sampler > 0) {
		(void)kill(place->sampler, SIGTERM);
		(void)waitpid(place->sampler, NULL, 0);
	}
	(void)vmadj_bench_served_stop(&place->served);
	for (size_t i = 0; i < VMADJ_EXP_VMS_MAX; i++) {
		if (place->port[i] > 0)
			(void)close(place->port[i]);
	}
	vmadj_lab_stop_many(place->vm, VMADJ_EXP_VMS_MAX);
}
