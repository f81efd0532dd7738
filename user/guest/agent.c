// SPDX-License-Identifier: GPL-2.0-only
/*
 * agent.c - the host's end of vmadjust-guest
 *
 * While an agent has no word its socket is not read: the guest's own writes then wait, and it costs
 * nothing here. What has piled up meanwhile is thrown away with the connection.
 */
#include "user/guest/agent.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "user/guest/agent_check.h"
#include "user/guest/agent_parse.h"
#include "user/guest/agent_port.h"
#include "user/guest/agent_rates.h"
#include "user/guest/line.h"
#include "user/util/log.h"

#define TAKE_MAX    16384 /* bytes at once, so that no guest delays another */
#define PAUSE_MIN_S 1
#define PAUSE_MAX_S 60
#define FRESH_S	    3
#define LOG_S	    600 /* between two complaints about one guest, but for lies */

static const char hello[] = "{\"vmadjust\":1,\"interval_ms\":1000}\n";

struct vmadj_guest_agent {
	sd_event *event;
	sd_event_source *io;
	const struct vmadj_target *target;
	vmadj_guest_heard heard;
	void *userdata;

	struct vmadj_agent_port port;
	bool asking; /* port will call back */
	int fd;	     /* -1: not connected */
	double next_s, pause_s;
	const char *why; /* there is no connection; NULL: there need not be */

	struct vmadj_guest_line *line; /* while connected: most VMs have no agent */
	bool fresh; /* no line was taken yet: the first may be the second half of one */
	struct vmadj_agent_check *check; /* from the first connection on */
	struct vmadj_agent_rates rates;
	bool quiet; /* it has no word */
	double log_s;

	uint64_t max_bytes;
	struct vmadj_guest guest; /* as it was told last; known: and may be believed */
	double guest_s, fresh_s;
};

static double now_of(const struct vmadj_guest_agent *agent)
{
	uint64_t now_us;

	return sd_event_now(agent->event, CLOCK_MONOTONIC, &now_us) < 0 ? 0 : (double)now_us / 1e6;
}

/* And not again before a while, which is longer each time until an agent talks. */
static void disconnect(struct vmadj_guest_agent *agent, double now_s)
{
	agent->io = sd_event_source_disable_unref(agent->io);
	if (agent->fd >= 0)
		(void)close(agent->fd);
	agent->fd = -1;
	free(agent->line);
	agent->line = NULL;
	agent->next_s = now_s + agent->pause_s;
	agent->pause_s = fmin(PAUSE_MAX_S, 2 * agent->pause_s);
}

static void fall_quiet(struct vmadj_guest_agent *agent, double now_s)
{
	const struct vmadj_agent_check *check = agent->check;
	bool lies = check->fault == VMADJ_AGENT_LIAR;

	agent->quiet = true;
	agent->guest.known = false;
	agent->rates.known = false;
	if (agent->io)
		(void)sd_event_source_set_enabled(agent->io, SD_EVENT_OFF);
	if (!lies && now_s < agent->log_s)
		return;
	agent->log_s = now_s + LOG_S;
	log_warning("vm=%s %s: as if it had none for %.0f s", agent->target->name, check->why,
		    vmadj_agent_check_until_s(check) - now_s);
}

static void believe(struct vmadj_guest_agent *agent, double now_s,
		    struct vmadj_agent_report *report)
{
	if (strcmp(agent->rates.agent, report->agent) != 0) {
		log_info("vm=%s an agent reports%s%s", agent->target->name,
			 report->why[0] ? ", without its cache: " : "", report->why);
	}
	vmadj_agent_rates_add(&agent->rates, now_s, report);
	agent->guest = report->guest;
	agent->guest_s = now_s;
	agent->fresh_s = fmax(FRESH_S, 3 * report->interval_ms / 1e3);
	agent->pause_s = PAUSE_MIN_S;
	agent->why = NULL;
}

/* Return: whether it is a report that is believed. */
static bool take_line(struct vmadj_guest_agent *agent, double now_s)
{
	struct vmadj_agent_report report;
	bool first = agent->fresh;
	const char *refused;

	agent->fresh = false;
	if (!vmadj_agent_check_line(agent->check, now_s))
		return false;
	refused = vmadj_agent_parse(agent->line->text, agent->line->len, agent->max_bytes, &report);
	if (refused) {
		if (!first)
			(void)vmadj_agent_check_refuse(agent->check, now_s, refused);
		return false;
	}
	if (!vmadj_agent_check_report(agent->check, now_s, &report))
		return false;
	believe(agent, now_s, &report);
	return true;
}

static void take(struct vmadj_guest_agent *agent, const char *bytes, size_t n)
{
	uint64_t too_long = agent->line->n_too_long;
	double now_s = now_of(agent);
	const char *at = bytes;
	bool news = false;

	(void)vmadj_agent_check_bytes(agent->check, now_s, n);
	while (!agent->check->why && vmadj_guest_line_next(agent->line, &at, bytes + n))
		news |= take_line(agent, now_s);
	if (!agent->check->why && agent->line->n_too_long != too_long) {
		(void)vmadj_agent_check_refuse(agent->check, now_s,
					       "the agent's lines are too long");
	}
	if (agent->check->why) {
		fall_quiet(agent, now_s);
	} else if (news && agent->heard) {
		agent->heard(agent->userdata);
	}
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct vmadj_guest_agent *agent = userdata;
	char bytes[TAKE_MAX];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)source;
	(void)events;
	if (n > 0) {
		take(agent, bytes, (size_t)n);
	} else if (!n || (errno != EAGAIN && errno != EINTR)) {
		disconnect(agent, now_of(agent));
	}
	return 0;
}

static struct vmadj_agent_check *new_check(void)
{
	struct vmadj_agent_check *check = calloc(1, sizeof(*check));
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (check)
		vmadj_agent_check_init(check, cpus > 0 ? (unsigned int)cpus : 1, 0);
	return check;
}

static const char *words_of(int err)
{
	switch (err) {
	case -ENOENT: /* no port, or QEMU has not made its socket yet */
	case -ESRCH:
	case -EAGAIN:
		return NULL;
	case -EPERM:
		return "another process listens on the agent's port";
	case -EBUSY:
		return "others wait for the agent's port already";
	case -EACCES:
		return "the agent's port may not be connected to";
	default:
		return "the agent's port cannot be connected to";
	}
}

static void on_connected(void *userdata, int fd)
{
	struct vmadj_guest_agent *agent = userdata;
	double now_s = now_of(agent);

	agent->asking = false;
	agent->why = fd < 0 ? words_of(fd) : NULL;
	agent->fd = fd < 0 ? -1 : fd;
	agent->line = fd < 0 ? NULL : calloc(1, sizeof(*agent->line));
	if (agent->line && !agent->check)
		agent->check = new_check();
	agent->fresh = true;
	/* A few bytes fit into a socket that nobody has written to. */
	if (!agent->line || !agent->check ||
	    send(fd, hello, sizeof(hello) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ||
	    sd_event_add_io(agent->event, &agent->io, fd, EPOLLIN, on_io, agent) < 0)
		disconnect(agent, now_s);
}

static void connect_anew(struct vmadj_guest_agent *agent)
{
	int fd = vmadj_agent_port_connect(&agent->port);

	if (fd == -EINPROGRESS) {
		agent->asking = true;
	} else if (fd != -EAGAIN) {
		on_connected(agent, fd);
	}
}

void vmadj_guest_agent_tick(struct vmadj_guest_agent *agent, double now_s,
			    const struct vmadj_guest_seen *seen)
{
	agent->max_bytes = seen->max_bytes;
	if (agent->quiet) {
		if (vmadj_agent_check_why(agent->check, now_s))
			return;
		agent->quiet = false;
		agent->pause_s = PAUSE_MIN_S;
		disconnect(agent, now_s);
		agent->next_s = now_s;
	}
	if (agent->guest.known && now_s - agent->guest_s > agent->fresh_s) {
		agent->guest.known = false;
		agent->why = "the agent has fallen silent";
	}
	if (agent->check && !vmadj_agent_check_seen(agent->check, now_s, seen->io_read_bytes)) {
		fall_quiet(agent, now_s);
	} else if (agent->fd < 0 && !agent->asking && now_s >= agent->next_s) {
		connect_anew(agent);
	}
}

bool vmadj_guest_agent_get(const struct vmadj_guest_agent *agent, double now_s,
			   struct vmadj_guest *ret_guest)
{
	double age_s = fmax(0, now_s - agent->guest_s);

	if (!agent->guest.known || age_s > agent->fresh_s)
		return false;
	*ret_guest = agent->guest;
	ret_guest->age_s = age_s;
	return true;
}

const char *vmadj_guest_agent_why(const struct vmadj_guest_agent *agent)
{
	return agent->check && agent->check->why ? agent->check->why : agent->why;
}

/* NOLINTNEXTLINE(readability-function-size): all that it is about */
int vmadj_guest_agent_new(sd_event *event, struct vmadj_libvirt *libvirt,
			  const struct vmadj_target *target, vmadj_guest_heard heard,
			  void *userdata, struct vmadj_guest_agent **ret_agent)
{
	struct vmadj_guest_agent *agent = calloc(1, sizeof(*agent));

	if (!agent)
		return -ENOMEM;
	agent->event = event;
	agent->target = target;
	agent->heard = heard;
	agent->userdata = userdata;
	agent->port = (struct vmadj_agent_port){ libvirt, target, on_connected, agent };
	agent->fd = -1;
	agent->pause_s = PAUSE_MIN_S;
	agent->max_bytes = VMADJ_GUEST_UNKNOWN;
	agent->guest = vmadj_guest_unknown("agent");
	*ret_agent = agent;
	return 0;
}

void vmadj_guest_agent_free(struct vmadj_guest_agent *agent)
{
	if (!agent)
		return;
	vmadj_agent_port_end(&agent->port);
	sd_event_source_disable_unref(agent->io);
	if (agent->fd >= 0)
		(void)close(agent->fd);
	free(agent->line);
	free(agent->check);
	free(agent);
}
