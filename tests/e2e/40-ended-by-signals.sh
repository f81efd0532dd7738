#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# SIGINT, SIGTERM or SIGHUP at any moment: exit status 0 soon, whole lines, nothing left behind?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_observer
need_json
start_vm "e2e-bystander" --load tick:10
: >"$work/ids"

# signalled SIGNAL PID AFTER - the end of it
signalled() {
	ids_of "$2" >>"$work/ids"
	kill -s "$1" "$2"
	wait_until 2 gone "$2" || fail "SIG$1 after $3 s: it runs on"
	ended "$2"
	[ -z "$(pins_of "$2")" ] || fail "SIG$1 after $3 s: pins stay"
}

# From the very start (loading takes some tenths of a second) into the second sample.
n=0
for signal in INT TERM; do
	for delay in 0 0.01 0.03 0.06 0.1 0.13 0.16 0.2 0.25 0.3 0.4 0.6 1.2; do
		n=$((n + 1))
		start "$bin" dump --json --interval 0.1
		until gone "$started_pid" || grep -q vmadjust "/proc/$started_pid/comm"; do :; done
		sleep "$delay"
		signalled "$signal" "$started_pid" "$delay"
		# Before main() the signal has its usual effect.
		case $delay:$status in
		*:0 | 0:130 | 0:143 | 0.01:130 | 0.01:143) ;;
		*) fail "SIG$signal after $delay s: exit status $status" ;;
		esac
		[ ! -s "$work/bg.out" ] || json "$work/bg.out" ''
	done
done
[ -s "$work/ids" ] || fail "no try was early enough to find it at work"
wait_until 5 no_ids_left "$work/ids" || fail "programs or links are left after $n signals"

# A terminal that is closed.
start "$bin" dump --json --interval 0.1
wait_until 10 test -s "$work/bg.out" || fail "it does not start"
signalled HUP "$started_pid" 0.8
[ "$status" = 0 ] || fail "SIGHUP: exit status $status"
# nohup: it stays
start nohup "$bin" dump --json --interval 0.1 --count 8
wait_until 10 test -s "$work/bg.out" || fail "it does not start under nohup"
kill -HUP "$started_pid"
ended "$started_pid"
[ "$status" = 0 ] || fail "nohup: exit status $status"
json "$work/bg.out" '@d == 8 or die "nohup: " . @d . " documents instead of 8\n"'

# While nobody reads what it writes: after a second, in the middle of a line, with status 4.
mkfifo "$work/pipe"
exec 8<>"$work/pipe"
perl -e 'open my $f, "<&=8" or die; fcntl($f, 1031, 4096) or die "F_SETPIPE_SZ: $!\n"'
start sh -c "exec '$bin' dump --json --interval 0.1 >'$work/pipe' 8>&-"
sleep 2
kill -TERM "$started_pid"
wait_until 3 gone "$started_pid" || fail "it does not end while nobody reads"
ended "$started_pid"
[ "$status" = 4 ] || fail "nobody reads: exit status $status, not 4"
exec 8<&-

# doctor ends, too.
start "$bin" doctor
sleep 0.15
kill -TERM "$started_pid" 2>/dev/null || true
wait_until 2 gone "$started_pid" || fail "doctor does not end"
ended "$started_pid"
[ "$status" = 0 ] || fail "doctor: exit status $status"
check_no_orphans "doctor"
