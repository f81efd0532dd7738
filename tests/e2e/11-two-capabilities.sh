#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Are CAP_BPF and CAP_PERFMON enough for a user who has nothing else?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_observer
need setpriv
start_vm "seen-by-nobody" --load busy
cp "$bin" "$work/vmadjust-bpf"

check() {
	grep -q '"name":"seen-by-nobody"' "$work/out" || fail "$1: the VM is not seen"
	run_ns=$(sed -n 's/.*"name":"seen-by-nobody".*"vcpus":\[{"id":0,"tid":[0-9]*,"run_ns":\([0-9]*\).*/\1/p' \
		"$work/out" | tail -n 1)
	[ "${run_ns:-0}" -gt 10000000 ] || fail "$1: it has run ${run_ns:-nothing} ns"
	! grep -q '"host_cache":null' "$work/out" || fail "$1: the page cache is not known"
}

run 0 setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs \
	--inh-caps=-all,+bpf,+perfmon --ambient-caps=-all,+bpf,+perfmon --bounding-set=-all,+bpf,+perfmon \
	"$work/vmadjust-bpf" dump --json --count 2 --interval 0.5
check "ambient capabilities"
run 0 setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs \
	--inh-caps=-all,+bpf,+perfmon --ambient-caps=-all,+bpf,+perfmon --bounding-set=-all,+bpf,+perfmon \
	"$work/vmadjust-bpf" dump --json --count 2 --interval 0.5 --mode poll
check "polling"
grep -q '"observer":{"mode":"poll"' "$work/out" || fail "it does not poll"

# The same by a capability of the file.
need setcap
setcap cap_bpf,cap_perfmon+ep "$work/vmadjust-bpf" 2>/dev/null ||
	skip "no file capabilities on $work (the rest passed)"
run 0 setpriv --reuid 65534 --regid 65534 --clear-groups \
	"$work/vmadjust-bpf" dump --json --count 2 --interval 0.5
check "file capabilities"
run 0 setpriv --reuid 65534 --regid 65534 --clear-groups "$work/vmadjust-bpf" doctor
check_no_orphans "an end as nobody"
