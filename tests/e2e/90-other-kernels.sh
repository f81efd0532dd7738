#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Does the core of the integration tests pass on kernels 6.1 and 6.12, with real KVM? And on 6.12,
# where groups are of version 2, are shares right?
#
# Both at the same time: each emulates one CPU, and nothing that they measure is of this host.
#
# timeout: 1060 s
set -u

here=$(dirname "$0")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# VERSION [TEST...]
run() {
	TEST_TAP=$work/tap.$1 "$here/kernel.sh" "$@" >"$work/out.$1" 2>&1
	echo $? >"$work/status.$1"
}

run 6.1 &
run 6.12 cpu_share &
wait
worst=0
for version in 6.1 6.12; do
	status=$(cat "$work/status.$version")
	sed "s/^/$version: /" "$work/out.$version"
	if [ "$status" = 77 ]; then
		printf '1..1\nok - kernel %s # SKIP %s\n' "$version" \
			"$(tail -n 1 "$work/out.$version")" >"$work/tap.$version"
		status=0
	fi
	cat "$work/tap.$version" >>"${TEST_TAP:-$work/tap}"
	[ "$status" = 0 ] || worst=$status
done
exit "$worst"
