#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bench-kmod.sh MODULE - what tests/e2e/94-bench-kmod.sh asks of `bench overhead --kmod`, inside of
# a lab kernel
#
# Its document goes to standard output. Each line "not ok: ..." is a failure; the exit status
# is 1 then.

module=$1
failed=0

bad() {
	echo "not ok: $*"
	failed=1
}

is_loaded() {
	grep -q '^vmadj_kmod ' /proc/modules
}

# Neither the module nor a process of ours.
check_nothing_left() {
	! is_loaded || bad "the module is left, $1"
	! grep -qs '^vmadjust-bpf$' /proc/[0-9]*/comm || bad "processes are left, $1"
}

vmadjust-bpf bench overhead --pairs 1 --json --kmod "$module" || bad "exit status $?"
check_nothing_left "after it was done"

# Not by itself: it is to say so, and to leave it alone.
insmod "$module"
vmadjust-bpf bench overhead --pairs 1 --kmod "$module" 2>/tmp/err && bad "it uses a module of somebody else's"
grep -q 'rmmod vmadj_kmod' /tmp/err || bad "no way out: $(cat /tmp/err)"
is_loaded || bad "it has unloaded a module of somebody else's"
rmmod vmadj_kmod

# In the midst of a half with the module; before, it is tried for a moment.
vmadjust-bpf bench overhead --pairs 1 --kmod "$module" 2>/tmp/err &
bench=$!
tries=3000
until [ $tries = 0 ] || { grep -q 'ping-pong: module, trace' /tmp/err && is_loaded; }; do
	sleep 0.1
	tries=$((tries - 1))
done
is_loaded || bad "the module is not loaded in the end: $(cat /tmp/err)"
kill -TERM $bench
wait $bench || bad "SIGTERM: exit status $?"
check_nothing_left "after SIGTERM"
if dmesg | grep 'BUG:\|WARNING:\|Oops\|RIP:\|protection fault\|scheduling while'; then
	bad "the kernel complains"
fi
exit $failed
