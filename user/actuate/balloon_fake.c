// SPDX-License-Identifier: GPL-2.0-only
/* balloon_fake.c - a balloon that is only a struct, for tests */
#include <errno.h>
#include <stdlib.h>

#include "user/actuate/balloon_private.h"

struct fake {
	struct vmadj_balloon_fake *with;
	sd_event_source *answer;
	bool looks;
};

static int on_answer(sd_event_source *source, void *userdata)
{
	struct vmadj_balloon *balloon = userdata;
	const struct fake *fake = balloon->priv;

	(void)source;
	if (fake->looks)
		balloon->state = fake->with->state;
	if (fake->with->err)
		vmadj_balloon_set_why(balloon, "so it was said");
	vmadj_balloon_finish(balloon, fake->with->err);
	return 0;
}

/* From the event loop, as the real ones do. */
static int answer_later(struct vmadj_balloon *balloon, bool looks)
{
	struct fake *fake = balloon->priv;

	fake->looks = looks;
	if (fake->with->silent)
		return 0;
	return sd_event_source_set_enabled(fake->answer, SD_EVENT_ONESHOT) < 0 ? -ENOMEM : 0;
}

static int fake_look(struct vmadj_balloon *balloon)
{
	const struct fake *fake = balloon->priv;

	fake->with->n_looks++;
	return answer_later(balloon, true);
}

static int fake_set(struct vmadj_balloon *balloon, uint64_t bytes)
{
	const struct fake *fake = balloon->priv;

	fake->with->n_sets++;
	fake->with->set_bytes = bytes;
	if (!fake->with->err && !fake->with->stubborn)
		fake->with->state.stats.actual_bytes = bytes;
	return answer_later(balloon, false);
}

static int fake_set_period(struct vmadj_balloon *balloon, unsigned int seconds)
{
	const struct fake *fake = balloon->priv;

	if (!fake->with->err)
		fake->with->state.period_s = seconds;
	return answer_later(balloon, false);
}

static void fake_close(struct vmadj_balloon *balloon)
{
	struct fake *fake = balloon->priv;

	sd_event_source_disable_unref(fake->answer);
	free(fake);
}

static const struct vmadj_balloon_ops fake_ops = {
	.kind = "fake",
	.look = fake_look,
	.set = fake_set,
	.set_period = fake_set_period,
	.close = fake_close,
};

int vmadj_balloon_fake_open(sd_event *event, struct vmadj_balloon_fake *with,
			    struct vmadj_balloon **ret_balloon)
{
	struct vmadj_balloon *balloon = calloc(1, sizeof(*balloon));
	struct fake *fake = calloc(1, sizeof(*fake));

	if (!balloon || !fake || sd_event_add_defer(event, &fake->answer, on_answer, balloon) < 0) {
		free(balloon);
		free(fake);
		return -ENOMEM;
	}
	(void)sd_event_source_set_enabled(fake->answer, SD_EVENT_OFF);
	fake->with = with;
	balloon->ops = &fake_ops;
	balloon->event = event;
	balloon->priv = fake;
	*ret_balloon = balloon;
	return 0;
}
