/* SPDX-License-Identifier: GPL-2.0-only */
/* test_guard.c - what of a wish may be done */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <string.h>

#include "user/actuate/guard.h"

TestSuite(guard, .timeout = 10);

#define LIMITS .nice_min = -10, .nice_max = 10
#define GOOD   .managed = true, .known = true, LIMITS

struct wish_case {
	struct vmadj_guard_cpu guard;
	double wish;
	bool go;
	int nice;
	char why[64]; /* a part of it; "": nothing is said */
};

ParameterizedTestParameters(guard, wishes)
{
	static struct wish_case cases[] = {
		{ { GOOD }, 5, true, 5, "" },
		{ { GOOD }, -10, true, -10, "" },
		{ { GOOD }, -11, true, -10, "nice_min" },
		{ { GOOD }, -20, true, -10, "nice_min" },
		{ { GOOD }, 19, true, 10, "nice_max" },
		{ { GOOD, .nice = 5 }, 5, false, 5, "it is so already" },
		/* The limit is reached, and the wish goes beyond: why nothing is done is said. */
		{ { GOOD, .nice = 10 }, 19, false, 10, "nice_max" },
		{ { GOOD, .nice = -10 }, -20, false, -10, "nice_min" },
		/* What is beyond the limits already comes back within them. */
		{ { GOOD, .nice = 15 }, 19, true, 10, "nice_max" },
		{ { .managed = true, .known = true, .nice_min = 3, .nice_max = 3 },
		  0,
		  true,
		  3,
		  "nice_min" },
		/* What is no nice value is not moved to the next limit. */
		{ { GOOD, .nice = 1 }, -21, false, 1, "-20..19" },
		{ { GOOD, .nice = 1 }, 20, false, 1, "-20..19" },
		{ { GOOD, .nice = 1 }, 1e300, false, 1, "-20..19" },
		{ { GOOD, .nice = 1 }, 2.5, false, 1, "whole number" },
		{ { GOOD, .nice = 1 }, NAN, false, 1, "whole number" },
		{ { GOOD, .nice = 1 }, -INFINITY, false, 1, "whole number" },
		{ { LIMITS, .known = true, .nice = 1 }, 5, false, 1, "manage = no" },
		{ { GOOD, .paused = true, .nice = 1 }, 5, false, 1, "paused" },
		{ { GOOD, .theirs = true, .nice = 1 }, 5, false, 1, "somebody else" },
		{ { GOOD, .by_hand = true, .nice = 1 }, 5, false, 1, "by hand" },
		{ { LIMITS, .managed = true }, 5, false, 0, "no level" },
		/* Of several reasons the first one that the administrator can do something about.
		 */
		{ { LIMITS, .known = true, .paused = true }, NAN, false, 0, "manage = no" },
	};

	return cr_make_param_array(struct wish_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct wish_case *c, guard, wishes)
{
	const char *why = "left alone";
	int nice = 99;

	cr_expect(eq(int, vmadj_guard_nice(&c->guard, c->wish, &nice, &why), c->go), "wish %g",
		  c->wish);
	cr_expect(eq(int, nice, c->nice), "wish %g", c->wish);
	if (*c->why)
		cr_expect(why && strstr(why, c->why), "wish %g: \"%s\"", c->wish, why ? why : "");
	else
		cr_expect(eq(ptr, (void *)why, NULL));
}

Test(guard, a_level_without_effect_is_left_alone)
{
	const struct vmadj_guard_cpu guard = { GOOD, .why_not = "a quota" };
	const char *why = NULL;
	int nice = 99;

	cr_expect(not(vmadj_guard_nice(&guard, 5, &nice, &why)));
	cr_expect(zero(int, nice));
	cr_expect(eq(str, (char *)why, "a quota"));
}
