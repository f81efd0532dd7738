// SPDX-License-Identifier: GPL-2.0-only
/* fake_agent.c - a guest's agent that says whatever the test wants */
#include "tests/lib/fake_agent.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/util/process.h"

struct fake_agent {
	struct sockaddr_un address;
	struct vmadj_target target;
	char name[64], id[64];
	int listener, fd, life; /* the process ends when life is closed */
	unsigned int n_refused, n_agents;
	uint64_t seq;
	char heard[4096];
	size_t heard_len;
};

static unsigned int n_fakes;

/* The kernel tells a client who called listen(): the process with QEMU's command line. */
static __attribute__((noreturn)) void be_qemu(const struct fake_agent *fake, int life)
{
	char chardev[256];

	(void)snprintf(chardev, sizeof(chardev), "socket,id=agent,path=%s,server=on,wait=off",
		       fake->address.sun_path);
	if (listen(fake->listener, 8) || dup2(life, STDIN_FILENO) < 0)
		_exit(1);
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	execl("/bin/sh", "sh", "-c", "read -r _", "qemu-system-x86_64", "-name", fake->name,
	      "-device", "virtio-serial", "-chardev", chardev, "-device",
	      "virtserialport,chardev=agent,name=org.vmadjust.guest.0", NULL);
	_exit(1);
}

static void wait_for_listener(const struct fake_agent *fake)
{
	int listens = 0;
	socklen_t len = sizeof(listens);
	char path[64], line[64];
	ssize_t n;
	int fd;

	while (!listens && !getsockopt(fake->listener, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len))
		(void)usleep(1000);
	/* ... and until it has that command line. */
	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", fake->target.pid);
	do {
		(void)usleep(1000);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = read(fd, line, sizeof(line));
		(void)close(fd);
	} while (n < 3 || memcmp(line, "sh", 3) != 0);
}

struct fake_agent *fake_agent_start(const char *name)
{
	struct fake_agent *fake = calloc(1, sizeof(*fake));
	int life[2];
	pid_t pid;

	if (!fake || pipe2(life, O_CLOEXEC))
		cr_fatal("no fake agent: %m");
	fake->fd = -1;
	fake->life = life[1];
	(void)snprintf(fake->name, sizeof(fake->name), "%s", name);
	fake->address.sun_family = AF_UNIX;
	(void)snprintf(fake->address.sun_path, sizeof(fake->address.sun_path),
		       "/tmp/vmadj-fake-agent-%d-%u", getpid(), n_fakes++);
	(void)unlink(fake->address.sun_path);
	fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(fake->listener, (struct sockaddr *)&fake->address, sizeof(fake->address)))
		cr_fatal("%s: %m", fake->address.sun_path);
	pid = fork();
	if (!pid)
		be_qemu(fake, life[0]);
	(void)close(life[0]);
	fake->target = (struct vmadj_target){ .id = fake->id, .name = fake->name, .pid = pid };
	if (pid < 0 || vmadj_process_start(pid, &fake->target.start_ticks))
		cr_fatal("no process: %m");
	(void)snprintf(fake->id, sizeof(fake->id), "%d-%llu", pid,
		       (unsigned long long)fake->target.start_ticks);
	wait_for_listener(fake);
	fake_agent_restart(fake);
	return fake;
}

void fake_agent_end(struct fake_agent *fake)
{
	if (!fake)
		return;
	(void)close(fake->life);
	(void)waitpid(fake->target.pid, NULL, 0);
	(void)unlink(fake->address.sun_path);
	(void)close(fake->listener);
	if (fake->fd >= 0)
		(void)close(fake->fd);
	free(fake);
}

const struct vmadj_target *fake_agent_target(const struct fake_agent *fake)
{
	return &fake->target;
}

/* Takes what the client says, and the next client when it has gone. */
static void take_client(struct fake_agent *fake)
{
	char rest[256];
	ssize_t n = 1;

	while (fake->fd >= 0 && n > 0) {
		size_t room = sizeof(fake->heard) - 1 - fake->heard_len;

		n = recv(fake->fd, room ? fake->heard + fake->heard_len : rest,
			 room ? room : sizeof(rest), MSG_DONTWAIT);
		fake->heard_len += n > 0 && room ? (size_t)n : 0;
		if (!n || (n < 0 && errno != EAGAIN)) {
			(void)close(fake->fd);
			fake->fd = -1;
		}
	}
	if (fake->fd < 0) {
		fake->fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		fake->heard_len = 0;
	}
}

bool fake_agent_is_connected(struct fake_agent *fake)
{
	take_client(fake);
	return fake->fd >= 0;
}

unsigned int fake_agent_refuse(struct fake_agent *fake)
{
	for (take_client(fake); fake->fd >= 0; take_client(fake)) {
		(void)close(fake->fd);
		fake->fd = -1;
		fake->n_refused++;
	}
	return fake->n_refused;
}

size_t fake_agent_send(struct fake_agent *fake, const char *bytes, size_t len)
{
	ssize_t n;

	take_client(fake);
	n = fake->fd < 0 ? 0 : send(fake->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? 0 : (size_t)n;
}

const char *fake_agent_heard(struct fake_agent *fake)
{
	take_client(fake);
	fake->heard[fake->heard_len] = '\0';
	return fake->heard;
}

static void put(FILE *line, const char *key, uint64_t value)
{
	if (value == VMADJ_GUEST_UNKNOWN)
		fprintf(line, "\"%s\":null,", key);
	else
		fprintf(line, "\"%s\":%llu,", key, (unsigned long long)value);
}

static void put_figures(FILE *line, const struct vmadj_guest *guest)
{
	fprintf(line, "\"mem\":{");
	put(line, "total_bytes", guest->mem_total_bytes);
	put(line, "free_bytes", guest->mem_free_bytes);
	put(line, "available_bytes", guest->mem_available_bytes);
	put(line, "cached_bytes", guest->cached_bytes);
	put(line, "active_file_bytes", guest->active_file_bytes);
	put(line, "committed_bytes", guest->committed_bytes);
	fprintf(line, "\"x\":0},\"vm\":{");
	put(line, "refaults", guest->refaults);
	put(line, "swap_in_bytes", guest->swap_in_bytes);
	put(line, "swap_out_bytes", guest->swap_out_bytes);
	put(line, "major_faults", guest->major_faults);
	put(line, "oom_kills", guest->oom_kills);
	put(line, "alloc_stalls", guest->alloc_stalls);
	put(line, "disk_read_bytes", guest->disk_read_bytes);
	if (!isnan(guest->mem_psi_some_pct))
		fprintf(line, "\"psi_some_pct\":%.2f,", guest->mem_psi_some_pct);
	fprintf(line, "\"x\":0},\"cache\":");
	if (!guest->cache.known) {
		fprintf(line, "null");
		return;
	}
	fprintf(line, "{");
	put(line, "accessed_pages", guest->cache.accessed_pages);
	put(line, "hit_pages", guest->cache.hit_pages);
	put(line, "miss_pages", guest->cache.miss_pages);
	fprintf(line, "\"x\":0}");
}

bool fake_agent_report(struct fake_agent *fake, const struct vmadj_guest *guest)
{
	char text[4096];
	FILE *line = fmemopen(text, sizeof(text), "w");
	size_t len;

	if (!line)
		cr_fatal("no memory");
	fprintf(line,
		"{\"vmadjust\":1,\"agent\":\"fa4e%08x%04x\",\"seq\":%llu,\"interval_ms\":1000,"
		"\"mode\":\"%s\",\"why\":null,",
		(unsigned int)fake->target.pid, fake->n_agents & 0xffff,
		(unsigned long long)++fake->seq, guest->cache.known ? "trace" : "counters");
	put_figures(line, guest);
	fprintf(line, "}\n");
	len = (size_t)ftell(line);
	(void)fclose(line);
	return fake_agent_send(fake, text, len) == len;
}

void fake_agent_restart(struct fake_agent *fake)
{
	fake->n_agents++;
	fake->seq = 0;
}

void fake_agent_other(struct fake_agent *fake)
{
	fake->n_agents ^= 1;
}

void fake_agent_rewind(struct fake_agent *fake)
{
	fake->seq = 0;
}
