#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Is everything put back: at the end, when a policy is unloaded, is disabled, is not armed any more,
# when a VM is not managed any more, and when it is released?
# shellcheck disable=SC2154,SC2016,SC2015,SC2119 # start_own_vm sets pid_*; Perl, not shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_daemon
start_own_vm a
start_own_vm b
# One of them is not as it comes.
echo 3 >"/proc/$pid_b/autogroup"
policy_so five <<'END'
	for EACH(vm)
		vmadj_wish_nice(wishes, vm, my->a, "five");
	if (my->b > 0 && my->ticks > my->b)
		*(volatile int *)0 = 0;
END

all_changed() {
	is_nice "$pid_a" 5 && is_nice "$pid_b" 5
}

all_back() {
	is_nice "$pid_a" 0 && is_nice "$pid_b" 3
}

changed() {
	wait_until 10 all_changed || fail "the policy has no effect: $1"
}

back() {
	wait_until 10 all_back || fail "$1: nice is $(nice_of "$pid_a") and $(nice_of "$pid_b"), not 0 and 3"
	# The policy does not turn them again.
	[ "${2-}" = ended ] || wait_ticks 3
	all_back || fail "$1: changed again"
	wait_until 5 empty || fail "$1: something is left in the ledger: $(cat "$state_dir/ledger")"
}

empty() {
	[ ! -s "$state_dir/ledger" ]
}

for signal in TERM INT; do
	config '[policy five]' 'armed = yes'
	start_daemon
	changed "SIG$signal"
	stop_daemon "$signal"
	[ "$status" = 0 ] || fail "SIG$signal: exit status $status"
	back "SIG$signal" ended
	no_runners || fail "SIG$signal: a runner is left"
done

start_daemon
changed "start"
ctl 0 policy unload five
back "unload"
no_runners || fail "unload: a runner is left"

ctl 0 policy load five
changed "load"
config '[policy five]' 'armed = no'
ctl 0 reload
back "not armed any more"

config '[policy five]' 'armed = yes' "[vm $ours-a]" 'manage = no'
ctl 0 reload
wait_until 10 is_nice "$pid_b" 5 || fail "b is not changed"
config '[policy five]' 'armed = yes'
ctl 0 reload
changed "managed again"
config '[policy five]' 'armed = yes' "[vm $ours-*]" 'manage = no'
ctl 0 reload
back "manage = no"

config
ctl 0 reload
ctl 0 set "$ours-a" nice 9
ctl 0 set "$ours-b" nice 9
wait_until 5 is_nice "$pid_a" 9 || fail "ctl set has no effect"
wait_until 5 is_nice "$pid_b" 9 || fail "ctl set has no effect"
ctl 0 release "$ours-a"
wait_until 5 is_nice "$pid_a" 0 || fail "it is not released"
is_nice "$pid_b" 9 || fail "the release of one releases another"
ctl 0 release "$ours-b"
back "release"
stop_daemon

# It crashes every few ticks, and is started again after 1, 2, ... s: load makes it crash at once.
config '[policy five]' 'armed = yes' 'b = 1'
start_daemon
changed "before it crashes"
logged 'policy five: crashed: SIGSEGV; it is started again'
wait_until 40 grep -q 'policy five is disabled' "$work/log" || fail "it is never disabled"
back "disabled"
ctl 0 policy list
grep -q 'policy five: disabled' "$work/out" || fail "the list does not say so"
stop_daemon
