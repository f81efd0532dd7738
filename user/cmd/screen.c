/* SPDX-License-Identifier: GPL-2.0-only */
/* screen.c - what standard output is: a terminal that is drawn over, or a stream */
#include "user/cmd/screen.h"

#include <langinfo.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "user/cmd/output.h"
#include "user/util/log.h"

#define SHOW_CURSOR "\033[?25h"

static bool is_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

bool vmadj_screen_color(bool no_color)
{
	const char *env = getenv("NO_COLOR");

	return !no_color && !(env && *env) && is_terminal();
}

bool vmadj_screen_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

void vmadj_screen_style(bool no_color, struct vmadj_table_style *ret_style)
{
	struct vmadj_table_style style = {
		.color = vmadj_screen_color(no_color),
		.utf8 = vmadj_screen_utf8(),
		.screen = is_terminal(),
	};
	struct winsize size;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
		style.width = size.ws_col;
		style.height = style.screen ? size.ws_row : 0;
	}
	*ret_style = style;
}

int vmadj_screen_enter(double first_frame_s)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
		       "\033[?25l\033[2J\033[HThe first sample takes %g s ...\n", first_frame_s);
	return vmadj_output_print(text, strlen(text));
}

void vmadj_screen_leave(void)
{
	struct pollfd pfd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	/* A terminal that is stopped does not hold up the end. */
	if (poll(&pfd, 1, 0) > 0 && write(STDOUT_FILENO, SHOW_CURSOR, strlen(SHOW_CURSOR)) < 0)
		log_debug("cannot show the cursor again: %m, ignoring");
}
