#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bcc.sh OUTDIR - bcc's cpudist and runqlat (libbpf-tools), which the observer is compared with
#
# Leaves them in OUTDIR/bcc, from the package of the system's distribution, which is not installed:
# apt.sh has how.
#
# Exit status: 0; 77 when they are not to be had, with the reason.
set -eu
# shellcheck source=tools/lab/apt.sh
. "$(dirname "$0")/apt.sh"

[ $# -eq 1 ] || fail "usage: bcc.sh OUTDIR"
version=''
[ ! -x "$1/bcc/runqlat" ] || exit 0
out=$(mkdir -p "$1" && cd "$1" && pwd)/bcc
apt_begin "$1"
(cd "$work/debs" && apt_system apt-get download libbpf-tools) >"$work/apt.log" 2>&1 || {
	cat "$work/apt.log" >&2
	skip "apt-get download libbpf-tools failed"
}
unpack_debs
mkdir -p "$work/new"
cp "$work/root/usr/sbin/cpudist" "$work/root/usr/sbin/runqlat" "$work/new/"
rm -rf "$out"
mv "$work/new" "$out"
