#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel.sh VERSION [TEST...] - run the core of the integration tests on another kernel, and more
#
# A host inside a guest: kernel VERSION under QEMU's TCG, with KVM in it, on one CPU.
#
# Writes their reports to $TEST_TAP. Exit status: run-in.sh's; 77: that kernel is not to be had.
set -u

version=$1
shift
tests="vmlinux sched blame pagecache_read pagecache_write inventory $*"
out=${O:-build}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# Each report, line by line behind a word of its own, then what failed.
cat >"$work/core.sh" <<-END
	export VMADJ_MODE=trace # polling takes as long again, and is tested on this host
	run() {
		"/usr/bin/test_\$1" --jobs 1 --tap=/tmp/tap >/tmp/out 2>&1 && return
		cat /tmp/out
		return 1
	}
	# An emulated CPU stands still at times, and what is measured meanwhile is wrong: once more.
	report() {
		run "\$1" || run "\$1"
		sed 's/^/TAP /' /tmp/tap
	}
	for name in $tests; do
		report \$name
	done
END

set --
for name in $tests; do
	set -- "$@" --prog "$out/tests/integration/test_$name"
done
status=125
# Under TCG a guest dies or hangs at times, with nothing of ours in it.
for try in 1 2; do
	[ $status = 125 ] || [ $status = 124 ] || break
	[ "$try" = 1 ] || echo "the guest died; try $try"
	tools/lab/run-in.sh "$version" --module loop --timeout 500 --out "$out/lab" "$@" \
		--prog "$out/tools/lab/kvmvm" --file "$work/core.sh:/core.sh" -- \
		sh /core.sh >"$work/log" 2>&1
	status=$?
	grep -v '^TAP ' "$work/log"
done
case $status in
77) exit 77 ;;
124 | 125)
	echo "the emulated host died or stood still, twice"
	exit 77
	;;
esac
sed -n 's/^TAP //p' "$work/log" >"${TEST_TAP:-$work/tap}"
exit $status
