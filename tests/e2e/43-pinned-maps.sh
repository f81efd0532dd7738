#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The pinned maps: can others read them with bpftool, by the names of their fields, and do they
# say what dump says?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_observer
need_pins
need_json
pin_dir=/sys/fs/bpf/vmadj-e2e-$$
own_pins=$pin_dir
start_vm "e2e-pinned" --load busy --vcpus 2
start "$bin" dump --json --interval 0.3 --vm e2e-pinned --pin-dir "$pin_dir"
tool=$started_pid
wait_until 10 test -s "$work/bg.out" || fail "it does not start"
pins=$(echo "$pin_dir/$tool-"*)
[ -d "$pins" ] || fail "nothing is pinned"
sleep 0.5

# A VM that stands still is the same for all who look.
kill -STOP "$vm_pid"
lines=$(wc -l <"$work/bg.out")
wait_until 5 sh -c "[ \$(wc -l <'$work/bg.out') -ge $((lines + 3)) ]" || fail "no more samples"
bpftool map dump pinned "$pins/life_thread" >"$work/life_thread" 2>"$work/err" ||
	fail "bpftool cannot dump life_thread"
# The dump of this one is of some 100 MB; look at the slots of the two threads.
tids="$(vcpu_tid e2e-pinned 0) $(vcpu_tid e2e-pinned 1)"
for tid in $tids; do
	slot=$(tr -d ' \n' <"$work/life_thread" |
		sed -n "s/.*\"key\":\([0-9]*\),\"value\":{\"state\":1,\"vm\":[0-9]*,\"tid\":$tid,.*/\1/p")
	[ -n "$slot" ] || fail "thread $tid is in no slot of life_thread, by these names"
	bpftool map lookup pinned "$pins/sched_thread" key \
		$((slot % 256)) $((slot / 256)) 0 0 >"$work/sched.$tid" 2>"$work/err" ||
		fail "slot $slot of sched_thread cannot be read"
done
kill -CONT "$vm_pid"
kill -TERM "$tool"
ended "$tool"
[ "$status" = 0 ] || fail "it ends with $status"

# Counts of dump begin with the observer, those of the kernel at base
# shellcheck disable=SC2016 # Perl's
json "$work/bg.out" '
	my ($lines, $work) = @ARGV;
	sub text { open my $f, "<", $_[0] or die "$_[0]: $!\n"; local $/; return <$f> }
	my (undef, %thread) = split /"key": (\d+),/, text("$work/life_thread");
	my ($vm) = vm($d[$lines + 1], "e2e-pinned") or die "the VM is not seen\n";
	@{$vm->{vcpus}} == 2 or die "not two vCPUs\n";
	for my $vcpu (@{$vm->{vcpus}}) {
		my $tid = $vcpu->{tid};
		my ($thread) = grep { /"state": 1,/ && /"tid": $tid,/ } values %thread;
		for my $what ("run_ns", "wait_ns") {
			my ($base) = $thread =~ /"base": \{[^}]*"$what": (\d+)/ or die "no field base.$what\n";
			my ($total) = text("$work/sched.$tid") =~ /"$what": (\d+)/ or die "no field $what\n";
			my $says = $total - $base;
			abs($says - $vcpu->{$what}) <= 1e6 or
				die "vCPU $vcpu->{id}, $what: $says in the map, $vcpu->{$what} in dump\n";
		}
		$vcpu->{run_ns} > 1e8 or die "vCPU $vcpu->{id} ran only $vcpu->{run_ns} ns\n";
	}
' "$lines" "$work"
[ ! -e "$pin_dir" ] || fail "pins stay"
