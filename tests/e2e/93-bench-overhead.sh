#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bench overhead: are all its rows there, is what is wrong refused before anything is measured,
# and is nothing left behind, whenever it is ended? With the kernel module: 92-kmod.sh.
#
# timeout: 600 s
# shellcheck source=tests/e2e/lib.sh
# shellcheck disable=SC2016 # the code between quotes is Perl's
. "$(dirname "$0")/lib.sh"

need_observer
need_json
need bpftool setpriv

bench_programs() {
	bpftool prog list 2>/dev/null | sed -n 's/^\([0-9]*\): .* name bench .*/\1/p'
}

# --- what is refused: one line, at once

# refused CODE WORDS ARGUMENT...
refused() {
	code=$1 words=$2
	shift 2
	run "$code" "$bin" bench "$@"
	[ ! -s "$work/out" ] || fail "something on standard output: $*"
	said "$words"
	! grep -q measuring "$work/err" || fail "it measures: $*"
}

refused 2 'bench overhead'
refused 2 'bench overhead' nothing
refused 2 'one argument too many' overhead surplus
refused 2 'exclude each other' overhead --json --markdown
refused 2 '1 to 256' overhead --pairs 0
refused 2 '1 to 256' overhead --pairs 257
refused 2 '0 or more' overhead --cpu x
refused 2 'no such CPU' overhead --cpu 100000
refused 2 'needs the name of a file' overhead --kmod ''
refused 2 'has no option' overhead --interval 1
refused 1 'No such file' overhead --kmod "$work/missing"
echo 'no module' >"$work/text"
refused 1 'make kmod' overhead --kmod "$work/text"
refused 1 'make kmod' overhead --kmod "$work"
refused 1 'make kmod' overhead --kmod "$bin" # ELF, yet another
# One by its looks: whatever the kernel says, it is named.
printf '\177ELF............\1\0license=GPL\0name=vmadj_kmod\0' >"$work/looks.ko"
refused 1 'it does not load: ' overhead --kmod "$work/looks.ko"

# Only where it may run; the affinity is this shell's.
if [ "$(nproc)" -gt 1 ]; then
	run 2 taskset -c 0 "$bin" bench overhead --cpu 1
	said 'may not use'
fi

# Without rights: as of all that observes.
cp "$bin" "$work/vmadjust-bpf"
run 3 setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs \
	"$work/vmadjust-bpf" bench overhead --pairs 1
said CAP_BPF

# --- all rows, measured once each; the figures are another matter

got=0
timeout --foreground -k 5 400 "$bin" bench overhead --pairs 1 --json >"$work/out" 2>"$work/err" ||
	got=$?
# Where others have the CPU, what the kernel counts says nothing, and the status that.
case $got in
0) ;;
1) said 'not measured: switch: .*: others ' ;;
*) fail "exit status $got" ;;
esac
json "$work/out" '
	@d == 1 or die "not one document\n";
	my ($doc) = @d;
	$doc->{schema} == 1 && $doc->{bench} eq "overhead" && $doc->{pairs} == 1 or die "its head\n";
	my %row = map { $_->{id} => $_ } @{$doc->{rows}};
	my $ids = join(" ", map { $_->{id} } @{$doc->{rows}});
	$ids eq "stats_others stats_vm_host stats_vm_vm poll pipe_empty pipe_trace pipe_poll " .
		"messages_trace messages_poll" or die "rows: $ids\n";
	for (@{$doc->{rows}}) {
		defined $_->{value} || length $_->{why} or die "$_->{id}: neither value nor reason\n";
		$_->{id} =~ /^stats/ || $_->{value} > 0 or die "$_->{id}: $_->{value}\n";
	}
	$row{pipe_trace}{bar} == 1.02 && $row{pipe_poll}{bar} == 1.005 or die "bars\n";
	for (qw(pipe_empty pipe_trace pipe_poll)) {
		my $r = $row{$_};
		$r->{on_switch_ns} > 50 && $r->{off_switch_ns} > 50 or die "$_: no switch is so short\n";
		abs($r->{on_switch_ns} / $r->{off_switch_ns} / $r->{value} - 1) < 0.01 or die "$_: ratio\n";
	}
	(defined $_->{bar}) == (defined $_->{holds}) or die "$_->{id}: judged?\n" for @{$doc->{rows}};
	!$row{pipe_trace}{sure} && !defined $doc->{quiet} or die "one pair proves nothing\n";
'
check_no_orphans "bench overhead"
[ -z "$(bench_programs)" ] || fail "its empty program is left"

# --- who else is there would be in both halves

start "$bin" dump --json --mode trace
wait_until 20 test -s "$work/bg.out" || fail "dump does not start"
dump=$started_pid
start "$bin" bench overhead
wait_until 30 grep -q 'of others on each context switch ("sched_switch"' "$work/bg.err" ||
	fail "no warning: $(cat "$work/bg.err")"
for pid in "$started_pid" "$dump"; do
	kill "$pid"
	ended "$pid"
	[ "$status" = 0 ] || fail "exit status $status"
done

# --- ended at any moment

n=0
for delay in 0.5 1.2 2.5 5; do
	for signal in INT TERM; do
		n=$((n + 1))
		start "$bin" bench overhead --pairs 256
		sleep "$delay"
		ids_of "$started_pid" >>"$work/ids"
		kill -s "$signal" "$started_pid"
		wait_until 10 gone "$started_pid" || fail "SIG$signal after $delay s: it runs on"
		ended "$started_pid"
		[ "$status" = 0 ] || fail "SIG$signal after $delay s: exit status $status"
		[ ! -s "$work/bg.out" ] || fail "half a table"
		[ -z "$(pins_of "$started_pid")" ] || fail "pins stay"
	done
done
[ -s "$work/ids" ] || fail "no try was early enough to find it at work"
wait_until 10 no_ids_left "$work/ids" || fail "programs or links are left after $n signals"

# Killed: its processes go, too.
start "$bin" bench overhead --pairs 256
sleep 3
grep -l "^PPid:[[:space:]]*$started_pid\$" /proc/[0-9]*/status 2>/dev/null | cut -d / -f 3 \
	>"$work/children"
[ -s "$work/children" ] || fail "it has no processes"
kill -KILL "$started_pid"
ended "$started_pid"
# shellcheck disable=SC2013 # words
for pid in $(cat "$work/children"); do
	wait_until 10 gone "$pid" || fail "process $pid is left"
done
check_no_orphans "kill -9"
