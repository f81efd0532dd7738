#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The daemon without a policy, with one that is not armed, and with --dry-run: does it observe,
# say what it would do, and change nothing?
# shellcheck disable=SC2154,SC2016,SC2015,SC2119 # start_own_vm sets pid_*; Perl, not shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_daemon
need_json
start_own_vm a --load busy
start_own_vm b --load tick:10
policy_so five <<'END'
	for EACH(vm)
		vmadj_wish_nice(wishes, vm, my->a, "five for all");
END

# unchanged WHAT - no knob, nothing in the ledger, on disk neither
unchanged() {
	is_nice "$pid_a" 0 && is_nice "$pid_b" 0 || fail "$1: a knob was turned"
	ctl 0 status --json
	json "$work/out" '@{$d[0]{changed}} == 0 or die "something is changed\n"'
	[ ! -s "$state_dir/ledger" ] || fail "$1: something is in the ledger"
}

config
start_daemon
wait_ticks 5
unchanged "without a policy"
ctl 0 status
grep -q 'policies: none; nothing is changed, only observed' "$work/out" || fail "status does not say so"
ctl 0 why "$ours-a"
grep -q 'nothing was decided on it yet' "$work/out" || fail "why does not say so"
stop_daemon
[ "$status" = 0 ] || fail "it ends with $status"
[ ! -e "$run_dir/control.sock" ] || fail "its socket stays"

# would WHAT - as five wishes, and says so
would() {
	logged "vm=$ours-a cpu 0->5 would be done (dry run) policy=five why=\"five for all\""
	logged "vm=$ours-b cpu 0->5 would be done (dry run)"
	wait_ticks 5
	unchanged "$1"
	[ "$(said_times "vm=$ours-a cpu 0->5 would be done")" = 1 ] || fail "$1: said more than once"
	ctl 0 why "$ours-a" --json
	json "$work/out" 'my $e = $d[0]{decisions}[-1];
		$e->{verdict} eq "dry-run" && $e->{wish} == 5 && $e->{times} > 1 or die "no dry run\n"'
}

config '[policy five]'
start_daemon
would "not armed"
ctl 0 policy list
grep -q 'policy five: running, not armed: it only says what it would do' "$work/out" ||
	fail "the list does not say that it is not armed"
stop_daemon
unchanged_nice=$(nice_of "$pid_a")$(nice_of "$pid_b")
[ "$unchanged_nice" = 00 ] || fail "the end of a daemon that changed nothing: $unchanged_nice"

config '[policy five]' 'armed = yes'
start_daemon --dry-run
would "dry run"
ctl 0 status
grep -q 'dry run: nothing is changed' "$work/out" || fail "status does not say that it is a dry run"
ctl 0 set "$ours-a" nice 3
grep -q 'dry run' "$work/out" || fail "ctl set does not say that it is a dry run"
unchanged "dry run, by hand"
stop_daemon
no_runners || fail "a runner is left"
