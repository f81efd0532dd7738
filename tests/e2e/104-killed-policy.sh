#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kill -9 of a policy's process at 100 random moments: does the daemon go on with its ticks and all
# figures, does the policy come back, and is everything put back in the end?
# shellcheck disable=SC2154,SC2016,SC2015,SC2119 # start_own_vm sets pid_*; Perl, not shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_daemon
need_json
for name in a b c; do
	start_own_vm "$name"
done
policy_so toggle <<'END'
	for EACH(vm)
		vmadj_wish_nice(wishes, vm, vm->nice == 5 ? 6 : 5, "tick %.0f", my->ticks);
END
config '[policy toggle]' 'armed = yes'
start_daemon
start "$bin" dump --json --socket "$run_dir/control.sock"
watcher=$started_pid
begin=$(ticks)
began=$(date +%s%N)

is_loaded() {
	ctl 0 policy list
	grep -q 'policy toggle: running, armed' "$work/out"
}

# killed DELAY - ms after the last load
killed() {
	sleep "$(printf '0.%03d' "$1")"
	pid=$(runners)
	[ -n "$pid" ] || fail "there is no runner"
	# shellcheck disable=SC2086 # a new one and one that it replaces
	kill -9 $pid
}

came_back() {
	[ "$(said_times 'policy toggle runs again')" -gt "$came" ]
}

i=0
while [ "$i" -lt 100 ]; do
	i=$((i + 1))
	wait_until 10 is_loaded || fail "round $i: the policy does not run"
	came=$(said_times 'policy toggle runs again')
	killed "$(perl -e 'print int(rand(150))')"
	if [ $((i % 33)) = 0 ]; then
		# It comes back by itself, after a second at first.
		wait_until 10 came_back || fail "round $i: it does not come back"
	else
		ctl 0 policy load toggle
	fi
done
wait_until 10 is_loaded || fail "the policy does not come back"
end=$(ticks)
ended_at=$(date +%s%N)
[ "$(said_times 'policy toggle: crashed: SIGKILL; it is started again')" -ge 50 ] ||
	fail "the log does not say that it was killed"

# At least half of those that were due: others are at work on this machine, too.
due=$(((ended_at - began) / 100000000))
[ $((end - begin)) -ge $((due / 2)) ] || fail "$((end - begin)) ticks, $due were due"
kill -TERM "$watcher"
ended "$watcher"
json "$work/bg.out" 'my ($min, @names) = @ARGV;
	@d >= $min or die @d . " samples, $min ticks\n";
	for my $s (@d[1 .. $#d]) {
		for my $n (@names) {
			my ($vm) = vm($s, $n) or die "$n is missing\n";
			defined $vm->{cpu}{usage_pct} or die "$n has no figures\n";
		}
	}' $(((end - begin) / 2)) "$ours-a" "$ours-b" "$ours-c"

ctl 0 policy unload toggle
all_back() {
	is_nice "$pid_a" 0 && is_nice "$pid_b" 0 && is_nice "$pid_c" 0 && [ ! -s "$state_dir/ledger" ]
}
wait_until 10 all_back || fail "not everything is put back"
no_runners || fail "a runner is left"
stop_daemon
[ "$status" = 0 ] || fail "the daemon ends with $status"
