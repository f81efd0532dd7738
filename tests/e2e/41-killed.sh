#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# After kill -9: nothing is attached any more, and the next start removes the pins?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_observer
mkdir -p "$work/none"
had_pins=no

for delay in 0.05 0.1 0.15 0.2 0.25 0.3 0.4 0.5 1.2; do
	start "$bin" dump --json --interval 0.2
	sleep "$delay"
	kill -9 "$started_pid"
	wait "$started_pid" 2>/dev/null || true
	[ -z "$(pins_of "$started_pid")" ] || had_pins=yes
	check_no_orphans "kill -9 after $delay s"
	echo "$started_pid" >>"$work/killed"
done
[ "$had_pins" = yes ] || skip "this host has no place for pins (nothing was attached)"

# A pin that cannot be of ours is not touched.
mkdir -p /sys/fs/bpf/vmadjust-bpf/not-ours
run 0 "$bin" dump --json --count 1 --interval 0.1
while read -r pid; do
	[ -z "$(pins_of "$pid")" ] || fail "the pins of process $pid stay"
done <"$work/killed"
[ -d /sys/fs/bpf/vmadjust-bpf/not-ours ] || fail "somebody else's folder is gone"
rmdir /sys/fs/bpf/vmadjust-bpf/not-ours

# While one runs, another one that ends leaves its pins alone.
start "$bin" dump --json --interval 0.2
wait_until 10 test -s "$work/bg.out" || fail "it does not start"
run 0 "$bin" dump --json --count 1 --interval 0.1
[ -n "$(pins_of "$started_pid")" ] || fail "the pins of a live one are gone"
kill "$started_pid"
wait "$started_pid" || fail "it ends with $?"
[ -z "$(pins_of "$started_pid")" ] || fail "its pins stay"
