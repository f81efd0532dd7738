#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Does doctor say the same for people and for programs, and of all that is not ok what that costs
# and what to do?
# shellcheck source=tests/e2e/lib.sh
# shellcheck disable=SC2016 # the code between quotes is Perl's
. "$(dirname "$0")/lib.sh"

need_observer
need_json
need unshare

run 0 "$bin" doctor --json
json "$work/out" '
	@d == 1 or die "not one document\n";
	join(" ", sort keys %{$d[0]}) eq "can_observe checks schema" or die "its keys\n";
	$d[0]{schema} == 1 && $d[0]{can_observe} or die "schema, can_observe\n";
	my %seen;
	for my $c (@{$d[0]{checks}}) {
		join(" ", sort keys %$c) eq "area cost found name remedy state" or die "keys of a check\n";
		!$seen{"$c->{area}/$c->{name}"}++ or die "$c->{area}/$c->{name} twice\n";
		$c->{state} =~ /^(ok|missing)$/ or die "$c->{name}: $c->{state}, yet VMs can be observed\n";
		$c->{state} eq "ok" || (length $c->{cost} && length $c->{remedy}) or
			die "$c->{name}: no cost, no remedy\n";
	}
	for (qw(rights kernel events self-test vms host)) {
		my $area = $_;
		grep { $_->{area} eq $area } @{$d[0]{checks}} or die "no area $area\n";
	}
	$seen{"events/polling"} or die "nothing of polling\n";
	print "$_->{name}\n" for @{$d[0]{checks}};
' >"$work/names"
run 0 "$bin" doctor
while read -r name; do
	grep -qF -- "$name" "$work/out" || fail "the text lacks \"$name\""
done <"$work/names"
grep -q '^VMs can be observed here' "$work/out" || fail "no verdict"

# Something is missing: still 0, and it is said.
run 0 unshare -m sh -c "umount -l /sys/fs/bpf 2>/dev/null; exec '$bin' doctor --json"
json "$work/out" '
	my ($c) = grep { $_->{state} eq "missing" } @{$d[0]{checks}} or die "nothing is missing\n";
	$d[0]{can_observe} && length $c->{cost} && $c->{remedy} =~ /mount -t bpf/ or die "what to do\n"'
run 0 unshare -m sh -c "umount -l /sys/fs/bpf 2>/dev/null; exec '$bin' doctor"
grep -q '^ *do  *.*mount -t bpf' "$work/out" || fail "the text does not say what to do"
grep -q '^ *costs ' "$work/out" || fail "the text does not say what it costs"

# Nothing can be done: 3, here as there.
run 3 unshare -m sh -c "mount -t tmpfs none /sys/kernel/btf && exec '$bin' doctor --json"
json "$work/out" '
	my @fatal = grep { $_->{state} eq "fatal" } @{$d[0]{checks}} or die "nothing is fatal\n";
	!$d[0]{can_observe} or die "can_observe\n";
	length $_->{cost} && length $_->{remedy} or die "$_->{name}: no cost, no remedy\n" for @fatal'
run 3 unshare -m -p -f --mount-proc "$bin" doctor
grep -q 'fatal' "$work/out" || fail "a process-id namespace: nothing is fatal"
check_no_orphans "doctor"
