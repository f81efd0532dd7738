/* SPDX-License-Identifier: GPL-2.0-only */
/* sources.c - all that one VM's guest says of itself, and the best of it */
#include "user/guest/sources.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/un.h>

#include "user/guest/agent.h"
#include "user/guest/port_path.h"
#include "user/guest/qga.h"
#include "user/util/text.h"
#include "user/virt/libvirt.h"

#define BALLOON_FRESH_S 3

struct vmadj_guest_sources {
	struct vmadj_guest_agent *agent;
	struct vmadj_guest_qga *qga;
	struct vmadj_guest balloon;
	double balloon_s; /* when it was looked at */
};

/* libvirt may add one later. */
bool vmadj_guest_sources_has_port(const struct vmadj_target *target)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const size_t size = sizeof(path);

	return vmadj_text_same(target->manager, "libvirt") ||
	       vmadj_guest_port_path(target, VMADJ_LIBVIRT_PORT, path, size) != -ENOENT ||
	       vmadj_guest_port_path(target, VMADJ_GUEST_QGA_PORT, path, size) != -ENOENT;
}

/* NOLINTNEXTLINE(readability-function-size): a callback needs two */
int vmadj_guest_sources_new(sd_event *event, struct vmadj_libvirt *libvirt,
			    const struct vmadj_target *target, vmadj_guest_heard heard,
			    void *userdata, struct vmadj_guest_sources **ret_sources)
{
	struct vmadj_guest_sources *sources = calloc(1, sizeof(*sources));
	int err;

	if (!sources)
		return -ENOMEM;
	sources->balloon = vmadj_guest_unknown("balloon");
	err = vmadj_guest_agent_new(event, libvirt, target, heard, userdata, &sources->agent);
	if (!err)
		err = vmadj_guest_qga_new(event, libvirt, target, heard, userdata, &sources->qga);
	if (err) {
		vmadj_guest_sources_free(sources);
		return err;
	}
	*ret_sources = sources;
	return 0;
}

void vmadj_guest_sources_free(struct vmadj_guest_sources *sources)
{
	if (!sources)
		return;
	vmadj_guest_agent_free(sources->agent);
	vmadj_guest_qga_free(sources->qga);
	free(sources);
}

/* Who has an agent of ours is not asked a second time for less. */
void vmadj_guest_sources_tick(struct vmadj_guest_sources *sources, double now_s,
			      const struct vmadj_guest_seen *seen)
{
	struct vmadj_guest guest;

	vmadj_guest_agent_tick(sources->agent, now_s, seen);
	if (!vmadj_guest_agent_get(sources->agent, now_s, &guest))
		vmadj_guest_qga_tick(sources->qga, now_s, seen);
}

void vmadj_guest_sources_balloon(struct vmadj_guest_sources *sources, double now_s,
				 const struct vmadj_guest *guest)
{
	sources->balloon = guest ? *guest : vmadj_guest_unknown("balloon");
	sources->balloon_s = now_s;
}

/* Its age is told by the statistics' own time, which may lie in the future. */
static bool balloon_get(const struct vmadj_guest_sources *sources, double now_s,
			struct vmadj_guest *ret_guest)
{
	struct vmadj_guest guest = sources->balloon;

	guest.age_s += now_s - sources->balloon_s;
	if (!guest.known || !(guest.age_s <= BALLOON_FRESH_S))
		return false;
	*ret_guest = guest;
	return true;
}

bool vmadj_guest_sources_best(const struct vmadj_guest_sources *sources, double now_s,
			      struct vmadj_guest *ret_guest)
{
	*ret_guest = vmadj_guest_unknown(NULL);
	return vmadj_guest_agent_get(sources->agent, now_s, ret_guest) ||
	       vmadj_guest_qga_get(sources->qga, now_s, ret_guest) ||
	       balloon_get(sources, now_s, ret_guest);
}

const char *vmadj_guest_sources_why(const struct vmadj_guest_sources *sources)
{
	const char *why = vmadj_guest_agent_why(sources->agent);

	return why ? why : vmadj_guest_qga_why(sources->qga);
}
