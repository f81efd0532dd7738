#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel module that the observer is measured against: on 6.1 and 6.12, does it list VMs as
# they come and go, count what the kernel counts, and leave nothing behind? (tests/lab/kmod.sh)
#
# timeout: 400 s
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# VERSION
run_on() {
	[ -f "$O/kmod/$1/vmadj_kmod.ko" ] || {
		echo "no module for kernel $1: make kmod builds it where its headers are to be had"
		return 77
	}
	tools/lab/run-in.sh "$1" --timeout 170 --out "$O/lab" --prog "$kvmvm" \
		--file "$O/kmod/$1/vmadj_kmod.ko:/vmadj_kmod.ko" --file tests/lab/kmod.sh:/kmod.sh \
		-- sh /kmod.sh /vmadj_kmod.ko
}

# Under TCG a guest dies or hangs at times, with nothing of ours in it.
run_twice() {
	got=0
	run_on "$1" >"$work/out.$1" 2>&1 || got=$?
	if [ $got = 124 ] || [ $got = 125 ]; then
		got=0
		run_on "$1" >"$work/out.$1" 2>&1 || got=$?
	fi
	if [ $got = 124 ] || [ $got = 125 ]; then
		echo "the emulated host died or stood still, twice" >>"$work/out.$1"
		got=77
	fi
	echo $got >"$work/status.$1"
}

run_twice 6.1 &
run_twice 6.12 &
wait
worst=0
for version in 6.1 6.12; do
	status=$(cat "$work/status.$version")
	sed "s/^/$version: /" "$work/out.$version"
	word='ok -' reason=''
	case $status in
	0) ;;
	77) reason=" # SKIP $(tail -n 1 "$work/out.$version")" ;;
	*) word='not ok -' worst=$status ;;
	esac
	printf '1..1\n%s kernel %s%s\n' "$word" "$version" "$reason" >>"${TEST_TAP:-$work/tap}"
done
exit "$worst"
