#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Do the policies of docs/write-a-policy.md compile, load and wish, as it says they do? And do
# `policy build`, `check` and `list` say what is wrong?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need cc

# block N - the Nth block of C
block() {
	awk -v n="$1" '/^```c$/ { k++; inside = 1; next } /^```$/ { inside = 0 } inside && k == n' \
		docs/write-a-policy.md
}

block 1 >"$work/patience.c"
block 2 >"$work/gentle.c"
[ -s "$work/gentle.c" ] || fail "the document has not two policies"

# --- as the document has it ---
run 0 "$bin" policy build "$work/patience.c"
[ ! -s "$work/err" ] || fail "the first policy compiles with warnings"
run 0 "$bin" policy check "$work/patience.so" --set above=30
grep -q '^policy  *patience$' "$work/out" || fail "its name is not told"
grep -q '^  above  *30 %' "$work/out" || fail "its parameter is not told"
grep -q '^batch1  *nice -1  *waits 60 % of the time$' "$work/out" || fail "it wishes something else"
[ "$(grep -c ' nice ' "$work/out")" = 1 ] || fail "it wishes more"
run 0 "$bin" policy build -o "$work/other.so" "$work/gentle.c"
[ ! -s "$work/err" ] || fail "the second policy compiles with warnings"
run 0 "$bin" policy check "$work/other.so"
grep -q '^batch1  *nice 1 ' "$work/out" || fail "the second policy wishes something else"

# --- recorded snapshots, by their own clock ---
cat >"$work/recorded" <<'JSON'
{"schema":1,"time_unix_s":100,"interval_s":1,"host":{"kernel":"6","cpus":1,"load15":2},"vms":[{"id":"7-1","name":"web\u001b1","vmm":"q","accel":"kvm","pid":7,"cpu":{"run_ns":1,"wait_pct":50}}]}
{"schema":1,"time_unix_s":130,"interval_s":1,"host":{"kernel":"6","cpus":1,"load15":2},"vms":[{"id":"7-1","name":"web1","vmm":"q","accel":"kvm","pid":7}]}
{"schema":1,"time_unix_s":160,"interval_s":1,"host":{"kernel":"6","cpus":1,"load15":2},"vms":[{"id":"7-1","name":"web1","vmm":"q","accel":"kvm","pid":7}]}
JSON
run 0 "$bin" policy check "$work/other.so" --snapshot "$work/recorded"
grep -q 'No daemon recorded' "$work/out" || fail "assumed knobs are not told"
grep -q '^snapshot 1, 1 VMs: 1 wish$' "$work/out" || fail "snapshot 1"
grep -q '^snapshot 2, 1 VMs: 0 wishes$' "$work/out" || fail "snapshot 2: half an interval later"
grep -q '^snapshot 3, 1 VMs: 1 wish$' "$work/out" || fail "snapshot 3: an interval later"
grep -qF 'web\x1b1' "$work/out" || fail "a name is printed raw"
timeout 60 "$bin" policy check "$work/patience.so" --snapshot - <"$work/recorded" >"$work/out" ||
	fail "standard input"
grep -qF 'waits 50 %' "$work/out" || fail "standard input: another wish"

# --- what is wrong ---
echo 'int x = ;' >"$work/broken.c"
run 1 "$bin" policy build "$work/broken.c"
said 'broken.c:1'
said 'does not compile'
[ -z "$(find "$work" -name 'broken.so*')" ] || fail "a broken policy left a file"
run 1 "$bin" policy build "$work/missing.c"
said 'No such file'
run 1 "$bin" policy build "$work/patience.so"
said 'no file of C'
run 1 "$bin" policy check "$work/missing.so"
said 'missing.so: No such file'
run 1 "$bin" policy check "$work/broken.c"
said 'invalid ELF header\|file too short\|cannot be loaded'
run 1 "$bin" policy check "$work/patience.so" --set above=101 --set colour=red
said 'above: 101 is not within 0..100'
said 'colour: there is no such parameter'
echo '{}' >"$work/no-snapshot"
run 1 "$bin" policy check "$work/patience.so" --snapshot "$work/no-snapshot"
said 'no-snapshot:1'
run 1 "$bin" policy check "$work/patience.so" --snapshot /dev/null
said 'no snapshot in it'
chmod o+w "$work/other.so"
run 1 "$bin" policy check "$work/other.so"
said 'writable by others'
run 2 "$bin" policy
said 'policy build FILE.c'
run 2 "$bin" policy chekc "$work/other.so"
said '"check"'

# A policy that is built anew while it runs is another file.
was=$(stat -c %i "$work/patience.so")
run 0 "$bin" policy build "$work/patience.c"
[ "$was" != "$(stat -c %i "$work/patience.so")" ] || fail "the file was overwritten in place"

# --- list, from the build folder ---
run 0 "$bin" policy list
grep -q '^loadavg_nice  *CPU share  *[a-z]' "$work/out" || fail "loadavg_nice is not listed"

# --- without root: the policy runs as who we are ---
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$work" "$work/patience.so"
	run 0 setpriv --reuid 65534 --regid 65534 --clear-groups "$bin" policy check "$work/patience.so"
fi
