#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kill -9 of the daemon at 100 random moments while it changes VMs: does the next start, or
# `vmadjust-bpf restore`, leave no VM changed, and is no policy's process left?
# timeout: 300 s
# shellcheck disable=SC2154,SC2016,SC2015,SC2119 # start_own_vm sets pid_*; Perl, not shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_daemon
vms='a b c d'
for name in $vms; do
	start_own_vm "$name"
done
echo 2 >"/proc/$pid_b/autogroup"
pids="$pid_a $pid_b $pid_c $pid_d"
policy_so toggle <<'END'
	for EACH(vm)
		vmadj_wish_nice(wishes, vm, vm->nice == 5 ? 6 : 5, "tick %.0f", my->ticks);
END
config '[policy toggle]' 'armed = yes'

# A number below $1; perl, for sh has none.
random() {
	perl -e 'print int(rand($ARGV[0]))' "$1"
}

is_as_before() {
	for pid in $pids; do
		want=0
		[ "$pid" != "$pid_b" ] || want=2
		is_nice "$pid" "$want" || return 1
	done
	[ ! -s "$state_dir/ledger" ]
}

is_changed() {
	! is_nice "$pid_a" 0
}

# Half of the moments lie anywhere from the start on, half after the first change.
found=0
i=0
while [ "$i" -lt 100 ]; do
	i=$((i + 1))
	start_quietly
	if [ $((i % 2)) = 0 ]; then
		wait_until 10 is_changed || fail "round $i: the policy changes nothing"
		delay=$(random 200)
	else
		delay=$(random 700)
	fi
	sleep "$(printf '0.%03d' "$delay")"
	kill -9 "$daemon_pid"
	ended "$daemon_pid"
	wait_until 5 no_runners || fail "round $i: a runner is left"
	[ ! -s "$state_dir/ledger" ] || found=$((found + 1))
	# Every other time it is the next start that puts all back.
	[ $((i % 4)) -ge 2 ] || {
		run 0 "$bin" restore --config "$conf"
		is_as_before || fail "round $i, after $delay ms: restore leaves $(cat /proc/[0-9]*/autogroup | sort | uniq -c)"
	}
done
[ "$found" -ge 50 ] || fail "only $found of 100 found something changed"

# A start without the policy puts back what the last one left.
start_quietly
wait_until 10 is_changed
kill -9 "$daemon_pid"
ended "$daemon_pid"
is_changed || fail "nothing is left to be put back"
config
start_daemon
wait_until 10 is_as_before || fail "a start without policies does not put it back"
logged 'knobs were left changed by an earlier run: they are put back'
stop_daemon
is_as_before || fail "not as before at the end"
no_runners || fail "a runner is left"
check_no_orphans "100 times kill -9"
