#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# libvirtd comes, and is killed while dump runs: does dump go on as without it?
# shellcheck source=tests/e2e/lib.sh
# shellcheck disable=SC2016 # the code between quotes is Perl's
. "$(dirname "$0")/lib.sh"

need_observer
need_json
need libvirtd virsh flock
socket=/run/libvirt/libvirt-sock
libvirtd=$(command -v libvirtd)

answers() {
	timeout --foreground 5 virsh -c qemu:///system version >/dev/null 2>&1
}

# What tests use is locked by them, shared (tests/lab/daemon.c): nobody else's is killed here.
exec 7<"$libvirtd"
flock -w 60 -x 7 || skip "other tests use libvirtd"
! answers || skip "libvirtd runs on this host, and is not ours to kill"
start_vm "e2e-by-libvirtd" --load busy

start "$bin" dump --json --interval 0.2
tool=$started_pid
wait_until 10 test -s "$work/bg.out" || fail "without libvirtd it does not start"

# Where /dev/kvm is root's alone, libvirt probes QEMU again and again: 40 s (tests/lab/daemon.c).
# shellcheck disable=SC2317 # the trap calls it
restore_kvm() {
	chmod "${kvm_was%% *}" /dev/kvm
	chown "${kvm_was#* }" /dev/kvm
	finish
}
if getent group kvm >"$work/group" && [ -z "$(find /dev/kvm -perm /066)" ]; then
	kvm_was=$(stat -c '%a %u:%g' /dev/kvm)
	trap restore_kvm EXIT
	chgrp kvm /dev/kvm
	chmod 660 /dev/kvm
fi

# killed as soon as it answers, and dead with this script
setpriv --pdeathsig KILL "$libvirtd" >"$work/libvirtd" 2>&1 </dev/null 7<&- &
daemon=$!
started="$started $daemon"
wait_until 20 answers || skip "libvirtd does not start here: $(tail -n 1 "$work/libvirtd")"
run 0 "$bin" doctor
grep -q 'libvirt  *ok  *running' "$work/out" || fail "doctor does not see libvirtd"
during=$(wc -l <"$work/bg.out")
kill -9 "$daemon"
ended "$daemon"
after=$(wc -l <"$work/bg.out")
sleep 1
! gone "$tool" || fail "dump ended with libvirtd"

# its socket is still there, and nobody behind it
[ -e "$socket" ] || fail "this test tests nothing: $socket is gone"
run 0 "$bin" dump --json --count 1
run 0 "$bin" doctor
kill -TERM "$tool"
ended "$tool"
[ "$status" = 0 ] || fail "exit status $status"
json "$work/bg.out" '
	my ($during, $after) = @ARGV;
	$during > 1 && $after + 3 <= @d or die "no samples then: $during, $after, " . @d . "\n";
	for my $doc (@d) {
		my @vm = vm($doc, "e2e-by-libvirtd");
		@vm == 1 && !$vm[0]{ended} && $vm[0]{vcpus} or die "the VM is not seen all the time\n";
	}
' "$during" "$after"
rm -f "$socket" "$socket-ro" /run/libvirt/libvirt-admin-sock /run/libvirtd.pid
check_no_orphans "it"
