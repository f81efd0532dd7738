#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The pinned maps: can others read them with bpftool, by the names of their fields, and do they
# say what dump says?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_observer
need_json
pin_dir=/sys/fs/bpf/vmadj-e2e-$$
own_pins=$pin_dir
start_vm "e2e-pinned" --load busy --vcpus 2
start "$bin" dump --json --interval 0.3 --vm e2e-pinned --pin-dir "$pin_dir"
tool=$started_pid
wait_until 10 test -s "$work/bg.out" || fail "it does not start"
pins=$(echo "$pin_dir/$tool-"*)
[ -d "$pins" ] || skip "this host has no place for pins"
sleep 0.5

# A VM that stands still is the same for all who look.
kill -STOP "$vm_pid"
lines=$(wc -l <"$work/bg.out")
wait_until 5 sh -c "[ \$(wc -l <'$work/bg.out') -ge $((lines + 3)) ]" || fail "no more samples"
for map in life_thread sched_thread; do
	bpftool -j map dump pinned "$pins/$map" >"$work/$map" 2>"$work/err" ||
		fail "bpftool cannot dump $map"
	echo >>"$work/$map"
done
kill -CONT "$vm_pid"
kill -TERM "$tool"
ended "$tool"
[ "$status" = 0 ] || fail "it ends with $status"

# docs: counts begin with the observer, the kernel's own at base_run_ns
json "$work/bg.out" '
	my ($lines, $threads, $scheds) = @ARGV;
	sub dumped {
		open my $f, "<", $_[0] or die; local $/;
		return map { $_->{formatted} // die "$_[0]: without types\n" } @{decode_json(<$f>)};
	}
	my ($vm) = vm($d[$lines + 1], "e2e-pinned") or die "the VM is not seen\n";
	my %slot = map { $_->{value}{tid} => $_ } grep { $_->{value}{state} == 1 } dumped($threads);
	my %sched = map { $_->{key} => $_->{value} } dumped($scheds);
	@{$vm->{vcpus}} == 2 or die "not two vCPUs\n";
	for my $vcpu (@{$vm->{vcpus}}) {
		my $thread = $slot{$vcpu->{tid}} // die "thread $vcpu->{tid} is in no slot\n";
		my $sched = $sched{$thread->{key}} // die "slot $thread->{key} has no counts\n";
		defined $sched->{run_ns} && defined $sched->{wait_ns} or die "no field run_ns, wait_ns\n";
		for my $what ("run_ns", "wait_ns") {
			my $says = $sched->{$what} - $thread->{value}{"base_$what"};
			abs($says - $vcpu->{$what}) <= 1e6 or
				die "vCPU $vcpu->{id}, $what: $says in the map, $vcpu->{$what} in dump\n";
		}
		$vcpu->{run_ns} > 1e8 or die "vCPU $vcpu->{id} ran only $vcpu->{run_ns} ns\n";
	}
' "$lines" "$work/life_thread" "$work/sched_thread"
