#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# SIGHUP and ctl reload: does a good configuration take effect as a whole, and a bad one not at
# all, with what is wrong in which line?
# shellcheck disable=SC2154,SC2016,SC2015,SC2119 # start_own_vm sets pid_*; Perl, not shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_daemon
need_json
start_own_vm a
policy_so one <<'END'
	for EACH(vm)
		vmadj_wish_nice(wishes, vm, my->a, "one");
END
policy_so two <<'END'
	for EACH(vm)
		vmadj_wish_nice(wishes, vm, 8, "two");
END
policy_so mem VMADJ_KNOB_MEMORY <<'END'
END
echo 'no shared object' >"$work/policies/broken.so"

hup() {
	want_times=$(($(said_times "$1") + 1))
	kill -HUP "$daemon_pid"
	wait_until 20 heard "$1" || fail "SIGHUP: no message \"$1\""
}
heard() {
	[ "$(said_times "$1")" -ge "$want_times" ]
}

config '[policy one]' 'armed = yes'
start_daemon
wait_until 10 is_nice "$pid_a" 5 || fail "the policy has no effect"

# Parameters, limits, the interval.
config '[policy one]' 'armed = yes' 'a = 9' "[vm $ours-a]" 'nice_max = 7'
hup 'the configuration was reloaded'
wait_until 10 is_nice "$pid_a" 7 || fail "new parameter and new limit: nice is $(nice_of "$pid_a")"
interval=0.2 config '[policy one]' 'armed = yes' 'a = 6'
hup 'the configuration was reloaded'
wait_until 10 is_nice "$pid_a" 6 || fail "the limit that is gone: nice is $(nice_of "$pid_a")"
ctl 0 status
grep -q 'every 0.2 s' "$work/out" || fail "the interval is not changed"

# One policy for another that turns the same knob, at once; and one more.
config '[policy two]' 'armed = yes' '[policy mem]'
ctl 0 reload
wait_until 10 is_nice "$pid_a" 8 || fail "the other policy has no effect"
ctl 0 policy list --json
json "$work/out" 'join(",", sort map { $_->{name} } @{$d[0]{policies}}) eq "mem,two" or die "policies\n"'

# stays LINE WHAT - by SIGHUP and by ctl, nothing of it: policies, limits, interval
stays() {
	pids=$(runners | tr '\n' ' ')
	hup 'the configuration is not reloaded, the old one stays'
	grep -q -- "$1" "$work/log" || fail "$2: the log does not say \"$1\""
	ctl 1 reload
	said 'the old configuration stays'
	is_nice "$pid_a" 8 || fail "$2: nice is $(nice_of "$pid_a")"
	[ "$(runners | tr '\n' ' ')" = "$pids" ] || fail "$2: other runners"
	ctl 0 status --json
	json "$work/out" 'my ($s) = @d;
		join(",", sort map { $_->{name} } @{$s->{policies}}) eq "mem,two" or die "policies\n";
		$s->{interval_s} == 0.1 && $s->{managed} == 1 && @{$s->{changed}} == 1 or die "status\n"'
	wait_ticks 2
}

# All of these would also change the interval, a limit and a policy.
bad() {
	interval=0.5 config '[policy one]' 'armed = yes' "[vm $ours-*]" 'nice_max = 2' "$@"
}
bad 'nonsense = 1'
stays "$conf:14: .*nonsense" "an unknown key"
bad '[policy broken]'
stays "$conf:14: policy broken is not loaded" "a policy that cannot be loaded"
ctl 1 reload
said 'policy broken is not loaded'
bad '[policy missing]'
stays "$conf:14: policy missing is not loaded" "a policy that is missing"
bad '[policy two]' 'b = 101'
stays "$conf:14: policy two is not loaded: .*101" "a parameter out of range"
bad '[policy two]'
stays 'policies one and two turn the same knob: only one may' "two policies with one knob"
bad
sed -i "s|^state_dir = .*|state_dir = $work/elsewhere|" "$conf"
stays 'state_dir cannot change while the daemon runs' "another state_dir"
bad
sed -i "s|^\[daemon\]|&\nmode = poll|" "$conf"
stays 'mode cannot change while the daemon runs' "another mode"
rm "$conf"
stays "$conf: there is no such file" "no file"
ctl 0 policy list
! grep -q 'policy one' "$work/out" || fail "a trial is left"

# Several at once, and the end in the middle of one.
config '[policy one]' 'armed = yes' 'a = 3'
for _ in 1 2 3 4 5; do
	kill -HUP "$daemon_pid"
done
wait_until 10 is_nice "$pid_a" 3 || fail "the last of several has no effect"
config '[policy two]' 'armed = yes'
kill -HUP "$daemon_pid"
stop_daemon
[ "$status" = 0 ] || fail "it ends with $status"
is_nice "$pid_a" 0 || fail "it is not put back"
no_runners || fail "a runner is left"
