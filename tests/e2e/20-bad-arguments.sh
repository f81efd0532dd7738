#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Wrong command lines: exit status 2, a message, and nothing done?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

refused() {
	run 2 "$bin" "$@"
	[ -s "$work/err" ] || fail "no message: $*"
	[ ! -s "$work/out" ] || fail "something on standard output: $*"
}

for interval in 0 -1 nan inf 1e9 1e-9 0x1 1s1 '' ' ' 0.099 3601 1,5 -0 99999999999999999999; do
	refused dump --interval "$interval" --count 1
	said interval
done
for count in -1 0 1.5 nan '' x 99999999999999999999 +; do
	refused dump --count "$count"
	said count
done
refused dump --interval
refused dump --count
refused dump --no-such-option
said no-such-option
refused no-such-command
said no-such-command
refused dump --sort weight
said sort
refused dump surplus
refused dump --json=yes
refused doctor --interval 1
refused doctor surplus
refused --interval 1
refused dump --pin-dir ''
refused help no-such-command
refused

# A near miss is named.
refused dmup
said dump
refused dump --intervall 1
said -- --interval

# Words that are no options are not echoed raw to the terminal.
refused "$(printf 'a\033[31mb\nc')"
! grep -q "$(printf '\033')" "$work/err" || fail "an escape sequence reaches the terminal"
check_no_orphans "refusals"
