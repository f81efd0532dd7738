#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# qga.sh OUTDIR - unpack the distribution's qemu-ga to OUTDIR/qemu-ga, without installing it
#
# Once there it is taken as it is. The package comes by the system's apt, with signatures checked
# as always. The libraries that it needs are QEMU's own, and installed with that.
#
# Exit status: 0; 77 when it is not to be had here, with the reason.
set -eu

skip() {
	echo "qga.sh: $*" >&2
	exit 77
}

[ $# -eq 1 ] || {
	echo "usage: qga.sh OUTDIR" >&2
	exit 1
}
out=$1
[ ! -x "$out/qemu-ga" ] || exit 0
command -v apt-get >/dev/null || skip "no apt on this system"
mkdir -p "$out"
work=$(mktemp -d "$(cd "$out" && pwd)/qga.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
mkdir -p "$work/cache/archives/partial"
(cd "$work" && apt-get -q -o "Dir::Cache=$work/cache" -o APT::Sandbox::User= download \
	qemu-guest-agent) >"$work/log" 2>&1 || skip "no qemu-guest-agent: $(tail -n 1 "$work/log")"
dpkg-deb -x "$work"/*.deb "$work/root"
for program in "$work"/root/usr/sbin/qemu-ga "$work"/root/usr/bin/qemu-ga; do
	[ ! -x "$program" ] || break
done
[ -x "$program" ] || skip "no qemu-ga in its package"
! ldd "$program" | grep "not found" >&2 || skip "libraries of QEMU's are not installed"
mv "$program" "$out/qemu-ga"
