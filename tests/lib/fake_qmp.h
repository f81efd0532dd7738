/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fake_qmp.h - a QEMU's monitor that follows a script
 *
 * Each step is one string:
 *	"< TEXT"  a line comes that has TEXT in it; anything else is a failure
 *	"> TEXT"  sends TEXT and a new line; "$id" in it is the id of the line that came last
 *	"- TEXT"  sends TEXT as it is
 *	"flood"   sends 100 MB of one line, as long as somebody takes it
 *	"stay"    does nothing until the other side closes
 *	"close"   closes the connection; the next step waits for the next one
 * After the last one the connection is closed. GREET and TAKE_CAPABILITIES begin most of them.
 *
 * Ownership: fake_qmp_end() waits for the script's end, and fails the test when it was not
 *            followed to its end.
 */
#pragma once

#define FAKE_QMP_GREETING \
	"> {\"QMP\": {\"version\": {\"qemu\": {\"major\": 7}}, \"capabilities\": [\"oob\"]}}"
#define FAKE_QMP_GREET FAKE_QMP_GREETING, "< qmp_capabilities", "> {\"return\": {}, \"id\": $id}"

struct fake_qmp;

/* @script ends with NULL and lives as long as the server. */
struct fake_qmp *fake_qmp_start(const char *const *script);
const char *fake_qmp_path(const struct fake_qmp *qmp);
void fake_qmp_end(struct fake_qmp *qmp);
