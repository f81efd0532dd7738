#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bench overhead with the kernel module: is it measured in both modes, and is it unloaded
# afterwards, also when SIGTERM comes in the midst? (tests/lab/bench-kmod.sh)
#
# timeout: 1000 s
# shellcheck source=tests/e2e/lib.sh
# shellcheck disable=SC2016 # the code between quotes is Perl's
. "$(dirname "$0")/lib.sh"

need_json
module=$O/kmod/6.12/vmadj_kmod.ko
[ -f "$module" ] ||
	skip "no module for kernel 6.12: make kmod builds it where its headers are to be had"

run_in() {
	got=0
	tools/lab/run-in.sh 6.12 --timeout 450 --out "$O/lab" --prog "$bin" \
		--file "$module:/vmadj_kmod.ko" --file tests/lab/bench-kmod.sh:/bench-kmod.sh \
		-- sh /bench-kmod.sh /vmadj_kmod.ko >"$work/out" 2>"$work/err" || got=$?
}

# Under TCG a guest dies or hangs at times, with nothing of ours in it.
run_in
case $got in 124 | 125) run_in ;; esac
case $got in
0) ;;
77) skip "$(tail -n 1 "$work/err")" ;;
124 | 125) skip "the emulated host died or stood still, twice" ;;
*) fail "exit status $got: $(grep '^not ok' "$work/out")" ;;
esac
json "$work/out" '
	@d == 1 or die "not one document\n";
	my %row = map { $_->{id} => $_ } @{$d[0]{rows}};
	for (qw(pipe_kmod_trace pipe_kmod_poll messages_kmod_trace pipe_trace pipe_poll)) {
		$row{$_} or die "no row $_\n";
		$row{$_}{value} or die "$_: $row{$_}{why}\n";
	}
	$d[0]{others} == 0 or die "others: $d[0]{others}\n";
'
