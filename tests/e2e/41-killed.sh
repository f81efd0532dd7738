#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# After kill -9 at any moment: is nothing attached any more, and does the next start remove the
# pins that were left, and nothing else?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_observer
need_pins
pin_dir=/sys/fs/bpf/vmadj-e2e-$$
own_pins=$pin_dir
: >"$work/ids"

for delay in 0.05 0.1 0.15 0.2 0.25 0.3 0.4 0.5 1.2; do
	start "$bin" dump --json --interval 0.2 --pin-dir "$pin_dir"
	sleep "$delay"
	ids_of "$started_pid" >>"$work/ids"
	kill -9 "$started_pid"
	ended "$started_pid"
done
grep -q link "$work/ids" || fail "no try found it attached"
wait_until 5 no_ids_left "$work/ids" || fail "programs or links are left after kill -9"
killed=$started_pid
[ -d "$pin_dir" ] || fail "nothing is pinned"
[ -d "$(echo "$pin_dir/$killed-"*)" ] || fail "the maps of the last one were not pinned"

# What cannot be ours is not touched, nor what belongs to a live process.
for name in not-ours 1-x 12-34-56 -5-7; do
	mkdir "$pin_dir/$name"
done
mkdir "$pin_dir/999999999-1"
run 0 "$bin" dump --json --count 1 --interval 0.1 --pin-dir "$pin_dir" --verbose
said "removing $pin_dir/$killed-"
left=$(cd "$pin_dir" && echo *)
[ "$(echo "$left" | tr ' ' '\n' | sort | tr '\n' ' ')" = \
	"$(printf '%s\n' not-ours 1-x 12-34-56 -5-7 | sort | tr '\n' ' ')" ] ||
	fail "left in the folder of pins: $left"
for name in not-ours 1-x 12-34-56 -5-7; do
	rmdir "$pin_dir/$name"
done
run 0 "$bin" doctor --pin-dir "$pin_dir"
[ ! -e "$pin_dir" ] || fail "the folder of pins stays"
check_no_orphans "kill -9"
