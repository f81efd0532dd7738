#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The reader of the output goes away, or there is no room: exit status 4, and no torn line?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_observer

# The status of a pipe's first command, with its messages in $work/err.
piped() {
	{
		status=0
		timeout -k 5 60 "$bin" "$@" 2>"$work/err" || status=$?
		echo "$status" >"$work/status"
	} | $reader >"$work/out"
	got=$(cat "$work/status")
	[ "$got" = 4 ] || fail "exit status $got, not 4: $* | $reader"
	[ "$(wc -l <"$work/err")" -le 2 ] || fail "more than a message: $* | $reader"
}

reader="head -n 1"
piped dump --json --interval 0.1
said 'reader'
[ "$(wc -l <"$work/out")" = 1 ] || fail "no line came"
reader="head -c 10"
piped dump --interval 0.1
reader=true
piped dump --json --interval 0.1
piped doctor
piped doctor --json

run 4 sh -c "exec '$bin' dump --json --interval 0.1 >/dev/full"
said 'No space left'
run 4 sh -c "exec '$bin' dump --interval 0.1 >/dev/full"
run 4 sh -c "exec '$bin' doctor >/dev/full"
run 4 sh -c "exec '$bin' --help >/dev/full"
run 4 sh -c "exec '$bin' --version >/dev/full"
run 4 sh -c "exec '$bin' dump --json --count 1 >&-"
check_no_orphans "output that failed"

# Messages that go nowhere are no reason to stop.
run 0 sh -c "exec '$bin' dump --json --count 1 2>&-"
run 0 sh -c "exec '$bin' dump --json --count 1 2>/dev/full"
