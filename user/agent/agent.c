// SPDX-License-Identifier: GPL-2.0-only
/* agent.c - looks four times a second, reports when it is time or urgent */
#include "user/agent/agent.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include "user/agent/count.h"
#include "user/agent/figures.h"
#include "user/agent/orders.h"
#include "user/agent/port.h"
#include "user/agent/report.h"
#include "user/agent/urge.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"

#define LOOK_S 0.25

struct vmadj_agent {
	char id[17];
	uint64_t seq;		   /* of the last report that the port took */
	struct vmadj_count *count; /* NULL: it cannot, "why" says why */
	char why[VMADJ_REPORT_WHY_MAX + 1];
	bool lost_said;
	struct vmadj_port port;
	bool there;    /* a host is at the other end */
	int port_said; /* the error that was logged last */
	struct vmadj_orders orders;
	unsigned int interval_ms;
	double look_s, report_s; /* when the next ones are due; monotonic */
	struct vmadj_figures figures;
	struct vmadj_urge urge;
};

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Pages of 4096 bytes. */
static uint64_t small_pages(uint64_t pages)
{
	return pages * ((uint64_t)sysconf(_SC_PAGESIZE) / 4096);
}

static void read_cache(struct vmadj_agent *agent, struct vmadj_report *report)
{
	struct vmadj_guest_total total = vmadj_count_read(agent->count);

	report->hit_pages = small_pages(total.hit_pages);
	report->miss_pages = small_pages(total.missed_pages);
	if (total.lost && !agent->lost_said)
		log_warning("some accesses are not counted: no memory for their threads' state");
	agent->lost_said = total.lost;
}

/* What "figures" has of /proc/vmstat, and all the rest of now. */
static int make_report(struct vmadj_agent *agent, char **ret_line, size_t *ret_len)
{
	struct vmadj_report report = {
		.agent = agent->id,
		.seq = agent->seq + 1,
		.interval_ms = agent->interval_ms,
		.why = agent->count ? NULL : agent->why,
	};

	if (agent->count)
		read_cache(agent, &report);
	vmadj_figures_read_mem(&agent->figures);
	report.figures = agent->figures;
	return vmadj_report_line(&report, ret_line, ret_len);
}

int vmadj_agent_once(struct vmadj_agent *agent, char **ret_line, size_t *ret_len)
{
	vmadj_figures_read_vm(&agent->figures);
	return make_report(agent, ret_line, ret_len);
}

/* A host that does not read hears the next one. */
static int say(struct vmadj_agent *agent, double now)
{
	_cleanup_free_ char *line = NULL;
	size_t len;
	int err = make_report(agent, &line, &len);

	if (err)
		return err;
	agent->report_s += agent->interval_ms / 1e3;
	/* It was urgent, or we are late. */
	if (fabs(agent->report_s - now) > agent->interval_ms / 1e3)
		agent->report_s = now + agent->interval_ms / 1e3;
	if (!vmadj_port_write(&agent->port, line, len)) {
		agent->seq++;
		vmadj_urge_reported(&agent->urge, &agent->figures, now);
	}
	return 0;
}

/* What has become of the port, once. */
static void note_port(struct vmadj_agent *agent)
{
	int err = agent->port.err;

	if (err && err != agent->port_said) {
		log_notice("port %s: %s, waiting for it",
			   agent->port.path ? agent->port.path : VMADJ_PORT_NAME, strerror(-err));
	}
	agent->port_said = err;
}

static int look(struct vmadj_agent *agent, double now)
{
	bool there = vmadj_port_ready(&agent->port);

	note_port(agent);
	if (there && !agent->there) {
		log_info("a host is there");
		agent->report_s = now;
	}
	agent->there = there;
	if (!there)
		return 0;
	vmadj_figures_read_vm(&agent->figures);
	if (now < agent->report_s && !vmadj_urge_now(&agent->urge, &agent->figures, now))
		return 0;
	return say(agent, now);
}

/* Also where no host is: that is how a port that was taken away is noticed. */
static void listen_to_host(struct vmadj_agent *agent, double now)
{
	char buf[512];
	ssize_t n = agent->port.fd < 0 ? 0 : vmadj_port_read(&agent->port, buf, sizeof(buf));
	unsigned int ms = n > 0 ? vmadj_orders_feed(&agent->orders, buf, (size_t)n) : 0;

	if (!ms || ms == agent->interval_ms)
		return;
	agent->interval_ms = ms;
	agent->report_s = now + ms / 1e3;
}

/* Until something is due or has come; Return: whether we are to end. */
static bool wait_for_it(const struct vmadj_agent *agent, int signals)
{
	/* Without a host poll() would return at once, again and again. */
	struct pollfd pfds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = agent->there ? agent->port.fd : -1, .events = POLLIN },
	};
	double due = agent->look_s, left;

	if (agent->there && agent->report_s < due)
		due = agent->report_s;
	left = due - now_s();
	(void)poll(pfds, 2, left > 0 ? (int)ceil(left * 1000) : 0);
	return pfds[0].revents;
}

int vmadj_agent_run(struct vmadj_agent *agent)
{
	_cleanup_close_ int signals = -1;
	sigset_t set;
	int err = 0;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return -errno;
	agent->look_s = now_s();
	do {
		double now = now_s();

		listen_to_host(agent, now);
		if (now >= agent->look_s || (agent->there && now >= agent->report_s)) {
			err = look(agent, now);
			agent->look_s = now + LOOK_S;
		}
	} while (!err && !wait_for_it(agent, signals));
	return err;
}

/* When memory is short, it must not be read from a disk first. Reading needs no rights. */
static void settle(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { 0 };

	if (mlockall(MCL_CURRENT | MCL_ONFAULT))
		log_info("cannot be locked into memory: %m, ignoring");
	if (syscall(SYS_capset, &head, none))
		log_warning("cannot give up capabilities, ignoring");
}

int vmadj_agent_new(const char *port, unsigned int interval_ms, struct vmadj_agent **ret_agent)
{
	struct vmadj_agent *agent;
	uint64_t id;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return -EIO;
	agent = calloc(1, sizeof(*agent));
	if (!agent)
		return -ENOMEM;
	(void)snprintf(agent->id, sizeof(agent->id), "%016jx", (uintmax_t)id);
	agent->interval_ms = interval_ms;
	agent->port = (struct vmadj_port){ .path = port, .fd = -1 };
	if (vmadj_count_start(&agent->count, agent->why, sizeof(agent->why)))
		log_warning("accesses to the page cache are not counted: %s", agent->why);
	settle();
	*ret_agent = agent;
	return 0;
}

void vmadj_agent_free(struct vmadj_agent *agent)
{
	if (!agent)
		return;
	vmadj_port_close(&agent->port);
	vmadj_count_stop(agent->count);
	free(agent);
}
