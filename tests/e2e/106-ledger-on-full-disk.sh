#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The disk with the ledger is full: is nothing changed, said once, and does it go on when there is
# room again? Does restore work on the full disk?
# shellcheck disable=SC2154,SC2016,SC2015,SC2119 # start_own_vm sets pid_*; Perl, not shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_daemon
start_own_vm a
start_own_vm b
policy_so five <<'END'
	for EACH(vm)
		vmadj_wish_nice(wishes, vm, my->a, "five");
END
state_dir=$work/disk/state
mkdir "$work/disk"
mount -t tmpfs -o size=64k tmpfs "$work/disk" || skip "no tmpfs can be mounted"
trap 'umount -l "$work/disk" 2>/dev/null || true; finish' EXIT

fill() {
	dd if=/dev/zero of="$work/disk/rest" bs=1024 2>/dev/null || true
	dd if=/dev/zero bs=1 count=4096 >>"$work/disk/rest" 2>/dev/null || true
}

config
start_daemon
# One VM is changed before, until no line more fits into the page that the file has already.
value=3
set_b() {
	value=$((5 - value))
	ctl 0 set "$ours-b" nice "$value"
	wait_until 5 is_nice "$pid_b" "$value" || fail "ctl set has no effect"
}
set_b
line=$(wc -c <"$state_dir/ledger")
while [ $((4096 - $(stat -c %s "$state_dir/ledger") % 4096)) -gt $((line - 8)) ]; do
	set_b
done
fill
config '[policy five]' 'armed = yes'
ctl 0 reload
full='the ledger in .* cannot be written: No space left on device; nothing is changed until it can'
logged "$full"
wait_ticks 10
is_nice "$pid_a" 0 || fail "it is changed though it cannot be written down"
[ "$(said_times "$full")" = 1 ] || fail "it is said $(said_times "$full") times"
[ "$(said_times 'the ledger can be written again')" = 0 ] || fail "it is said to be over"
ctl 0 status
grep -q 'the ledger cannot be written: nothing is changed until it can' "$work/out" ||
	fail "status does not say so"
ctl 0 why "$ours-a"
grep -q 'refused: the ledger cannot be written' "$work/out" || fail "why does not say so"
ctl 1 set "$ours-a" nice 1
said "$ours-a is not changed: the ledger cannot be written"

rm "$work/disk/rest"
wait_until 10 is_nice "$pid_a" 5 || fail "it does not go on when there is room again"
logged 'the ledger can be written again'
fill

# After a crash, on the full disk; a second time there is nothing left to do.
kill -9 "$daemon_pid"
ended "$daemon_pid"
run 0 "$bin" restore --config "$conf"
grep -q '^2 put back' "$work/out" || fail "restore does not put back two"
is_nice "$pid_a" 0 && is_nice "$pid_b" 0 || fail "it is not put back"
run 0 "$bin" restore --config "$conf"
grep -q '^0 put back' "$work/out" || fail "restore finds something once more"
umount "$work/disk"
