#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The guard: do nice_min, nice_max and manage = no hold, does what was set by hand go before a policy,
# and do pause and resume do what they say?
# shellcheck disable=SC2154,SC2016,SC2015,SC2119 # start_own_vm sets pid_*; Perl, not shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_daemon
for name in low high not free; do
	start_own_vm "$name"
done
policy_so far <<'END'
	for EACH(vm)
		vmadj_wish_nice(wishes, vm, strstr(vm->name, "low") ? -20 : 19, "far");
END
limits() {
	config '[policy far]' 'armed = yes' "[vm $ours-low]" 'nice_min = -3' \
		"[vm $ours-high]" "nice_max = ${1:-4}" "[vm $ours-not]" 'manage = no'
}
limits
start_daemon
wait_until 10 is_nice "$pid_free" 19 || fail "the policy has no effect"
wait_until 5 is_nice "$pid_low" -3 || fail "nice_min does not hold: $(nice_of "$pid_low")"
wait_until 5 is_nice "$pid_high" 4 || fail "nice_max does not hold: $(nice_of "$pid_high")"
is_nice "$pid_not" 0 || fail "manage = no does not hold"
ctl 0 why "$ours-low"
grep -q 'nice 0 -> -20, at most -3: clamped: nice_min of the configuration' "$work/out" ||
	fail "why does not say that it was clamped"
ctl 0 why "$ours-not"
grep -q 'refused: the configuration says manage = no' "$work/out" || fail "why does not say manage = no"
ctl 1 set "$ours-not" nice 5
said 'manage = no'
ctl 1 set "$ours-high" nice 10
said 'nice_max of the configuration'

# By hand before the policy, until it is released.
ctl 0 set "$ours-free" nice -2
wait_until 5 is_nice "$pid_free" -2 || fail "ctl set has no effect"
wait_ticks 5
is_nice "$pid_free" -2 || fail "the policy overwrites what was set by hand"
ctl 0 why "$ours-free"
grep -q 'it was set by hand' "$work/out" || fail "why does not say that it was set by hand"
ctl 0 release "$ours-free"
wait_until 10 is_nice "$pid_free" 19 || fail "after the release it is not the policy's again"

# Paused: policies change nothing, a person may.
ctl 0 pause
limits 6
ctl 0 reload
wait_ticks 5
is_nice "$pid_high" 4 || fail "changed while paused"
ctl 0 status
grep -q 'paused: policies change nothing' "$work/out" || fail "status does not say that it is paused"
ctl 0 pause
grep -q 'it was paused already' "$work/out" || fail "a second pause"
ctl 0 set "$ours-free" nice 1
wait_until 5 is_nice "$pid_free" 1 || fail "ctl set has no effect while paused"
ctl 0 resume
ctl 0 release "$ours-high"
wait_until 10 is_nice "$pid_high" 6 || fail "not changed after the pause: $(nice_of "$pid_high")"
stop_daemon
for pid in "$pid_low" "$pid_high" "$pid_not" "$pid_free"; do
	is_nice "$pid" 0 || fail "it is not put back"
done
