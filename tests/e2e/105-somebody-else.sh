#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Somebody else sets the knob that a policy turned: is it left alone from then on, said so once,
# not put back at the end, and given back by ctl release?
# shellcheck disable=SC2154,SC2016,SC2015,SC2119 # start_own_vm sets pid_*; Perl, not shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_daemon
start_own_vm a
start_own_vm b
policy_so toggle <<'END'
	for EACH(vm)
		vmadj_wish_nice(wishes, vm, vm->nice == 5 ? 6 : 5, "tick %.0f", my->ticks);
END
config '[policy toggle]' 'armed = yes'
start_daemon
turned() {
	! is_nice "$1" 0
}
wait_until 10 turned "$pid_a" || fail "the policy has no effect"

# The kernel lets it be written ten times a second only, and the policy does that.
take_it() {
	sh -c "echo $1 >/proc/$pid_a/autogroup" && is_nice "$pid_a" "$1"
}
theirs="vm=$ours-a cpu is autogroup=12, not"
is_theirs() {
	take_it 12
	grep -q "$theirs" "$work/log"
}
wait_until 20 is_theirs || fail "it is not seen that somebody else sets it"
wait_ticks 8
is_nice "$pid_a" 12 || fail "their value is overwritten: $(nice_of "$pid_a")"
[ "$(said_times "$theirs")" = 1 ] || fail "it is said more than once"
ctl 0 why "$ours-a"
grep -q 'somebody else has changed it' "$work/out" || fail "why does not say so"
ctl 1 set "$ours-a" nice 3
said 'somebody else has changed it; vmadjust-bpf ctl release takes it back'
wait_until 5 turned "$pid_b" || fail "the other VM is left alone, too"

ctl 0 release "$ours-a"
taken_back() {
	is_nice "$pid_a" 5 || is_nice "$pid_a" 6
}
wait_until 10 taken_back || fail "after the release it is not the policy's again"
# What it was before this release is what it goes back to.
stop_daemon
is_nice "$pid_a" 12 || fail "it goes back to $(nice_of "$pid_a"), not to what somebody else had set"
is_nice "$pid_b" 0 || fail "the other VM is not put back"

# Theirs at the end of the daemon, and between the death of one and the next start.
config
start_daemon
ctl 0 set "$ours-a" nice 4
wait_until 5 is_nice "$pid_a" 4 || fail "ctl set has no effect"
wait_until 5 take_it 7 || fail "it cannot be set"
stop_daemon
is_nice "$pid_a" 7 || fail "the end puts back what somebody else has set"
start_daemon
ctl 0 set "$ours-a" nice 4
wait_until 5 is_nice "$pid_a" 4 || fail "ctl set has no effect"
kill -9 "$daemon_pid"
ended "$daemon_pid"
wait_until 5 take_it 9 || fail "it cannot be set"
run 0 "$bin" restore --config "$conf"
grep -q '1 left to who changed them since' "$work/out" || fail "restore does not say that it is theirs"
is_nice "$pid_a" 9 || fail "restore puts back what somebody else has set"
