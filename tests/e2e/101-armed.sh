#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# An armed policy: do its wishes become the knob, and do ctl status and ctl why say what was
# done, why, knowing what, and what came of it?
# shellcheck disable=SC2154,SC2016,SC2015,SC2119 # start_own_vm sets pid_*; Perl, not shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_daemon
need_json
start_own_vm a --load busy
start_own_vm b --load busy
policy_so some <<'END'
	for EACH(vm) {
		if (strstr(vm->name, "-a"))
			vmadj_wish_nice(wishes, vm, my->a, "tick %.0f: it waits %.0f %%", my->ticks,
					vm->wait_pct);
		else
			vmadj_wish_nothing(wishes, vm, "only a is of interest");
	}
END
config '[policy some]' 'armed = yes' 'a = 7'
start_daemon -v
wait_until 10 is_nice "$pid_a" 7 || fail "the wish does not become the knob"
is_nice "$pid_b" 0 || fail "a VM for which nothing was wished is changed"
logged "vm=$ours-a nice 0->7 policy=some why=\"tick 1: it waits"
wait_ticks 5

ctl 0 status --json
json "$work/out" 'my ($s) = @d; our ($name) = @ARGV;
	@{$s->{changed}} == 1 or die "not one change\n";
	my $c = $s->{changed}[0];
	$c->{vm} eq $name && $c->{by} eq "some" && $c->{original} eq "autogroup=0" &&
		$c->{now} eq "autogroup=7" && $c->{knob} eq "cpu" or die "another change\n";
	my ($p) = @{$s->{policies}};
	$p->{name} eq "some" && $p->{armed} && $p->{cpu} && !$p->{memory} && $p->{ticks} > 3 &&
		$p->{wishes} >= 2 * $p->{ticks} && $p->{state} eq "running" or die "policy\n";
	$s->{managed} == 2 && $s->{ledger_writable} or die "status\n"' "$ours-a"
ctl 0 status
grep -q "$ours-a cpu: autogroup=7, was autogroup=0 (autogroup, by some)" "$work/out" ||
	fail "status does not show the change"

ctl 0 why "$ours-a" --json
json "$work/out" 'my ($w) = @d;
	$w->{nice} == 7 && $w->{cpu_by} eq "some" && $w->{cpu_kind} eq "autogroup" or die "state\n";
	my ($e) = grep { $_->{verdict} eq "allowed" } @{$w->{decisions}} or die "no decision\n";
	$e->{by} eq "some" && $e->{knob} eq "cpu" && $e->{wish} == 7 && $e->{from} == 0 &&
		$e->{to} == 7 or die "decision\n";
	$e->{reason} =~ /^tick 1: it waits/ or die "reason: $e->{reason}\n";
	my $in = $e->{inputs};
	defined $in->{usage_pct} && $in->{wait_pct} >= 0 && $in->{age_s} < 10 or die "inputs\n";
	$e->{result} && !$e->{result}{pending} && !$e->{result}{error} && $e->{result}{took_ms} >= 0
		or die "result\n";
	@{$e->{after}} == 3 && $e->{after}[2]{usage_pct} >= 0 or die "after-effects\n";
	my $last = $w->{decisions}[-1];
	$last->{why} eq "it is so already" && $last->{times} > 1 or die "what was not done\n"'
ctl 0 why "$ours-a"
for words in 'some nice 0 -> 7: allowed' 'reason: tick 1: it waits' 'it knew:  use' 'after the snapshot' \
	'3 intervals later: use' 'nice 7 now, set by some'; do
	grep -q -- "$words" "$work/out" || fail "why does not say \"$words\""
done
ctl 0 why "$ours-b"
grep -q 'some: no wish' "$work/out" && grep -q 'reason: only a is of interest' "$work/out" ||
	fail "why does not say that nothing was wished"

# By id, too; each answer is one JSON document.
id=$("$bin" ctl --socket "$run_dir/control.sock" why "$ours-b" --json | sed 's/.*"id":"\([^"]*\)".*/\1/')
ctl 0 why "$id"
for words in 'policy list' pause resume 'release '"$ours-a"; do
	# shellcheck disable=SC2086 # words
	ctl 0 $words --json
	json "$work/out" '@d == 1 && $d[0]{ok} or die "not one good answer\n"'
done
stop_daemon
is_nice "$pid_a" 0 || fail "it is not put back"
