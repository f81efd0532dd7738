#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Without rights: is it said what is missing and what to do, with exit status 3?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_root
need setpriv
cp "$bin" "$work/vmadjust-bpf"

as_nobody() {
	code=$1
	shift
	run "$code" setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs "$@"
}

as_nobody 3 "$work/vmadjust-bpf" doctor
as_nobody 3 "$work/vmadjust-bpf" dump --count 1
as_nobody 3 "$work/vmadjust-bpf" dump --json --count 1
said CAP_BPF
said CAP_PERFMON
said setcap
[ ! -s "$work/out" ] || fail "something on standard output"

# One of the two is not enough, and only the other one is asked for.
run 3 setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all,+bpf --ambient-caps=-all,+bpf \
	"$work/vmadjust-bpf" dump --count 1
said CAP_PERFMON
! grep -q 'lacks CAP_BPF' "$work/err" || fail "asks for what it has"
run 3 setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all,+perfmon \
	--ambient-caps=-all,+perfmon "$work/vmadjust-bpf" dump --count 1
said CAP_BPF

# root without capabilities is nobody, too
run 3 setpriv --bounding-set=-all --inh-caps=-all "$bin" dump --count 1
said CAP_BPF

# What needs no rights works without.
for command in --help --version help version; do
	as_nobody 0 "$work/vmadjust-bpf" "$command"
done
as_nobody 0 "$work/vmadjust-bpf" dump --help
check_no_orphans "refusal"
