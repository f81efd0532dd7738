#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# headers.sh VERSION OUTDIR - what a module for the kernel of kernel.sh is built against
#
# VERSION  6.1, 6.12: Debian's cloud kernel of that version
#
# Leaves in OUTDIR/headers-VERSION: build, a link to the folder for "make -C", and release, the
# name of the kernel that they belong to: that in OUTDIR/kernel-VERSION, or what the module is
# built against does not load there.
#
# apt.sh has how packages come here.
#
# Exit status: 0; 1 on failure; 77 when they are not to be had here, with the reason.
set -eu
# shellcheck source=tools/lab/apt.sh
. "$(dirname "$0")/apt.sh"

fetch_debian() {
	package=linux-headers-$release
	common=$(resolve apt_private "$package" linux-headers-)
	kbuild=$(resolve apt_private "$package" linux-kbuild-)
	[ -n "$common" ] && [ -n "$kbuild" ] && download "$package" "$common" "$kbuild"
}

# The makefile knows only the place where it would be installed.
unpack() {
	unpack_debs
	mkdir -p "$work/new"
	mv "$work/root/usr" "$work/new/"
	tree=usr/src/linux-headers-$release
	# shellcheck disable=SC2016 # for make to expand
	sed -i 's|/usr/src/|$(dir $(lastword $(MAKEFILE_LIST)))../|' "$work/new/$tree/Makefile"
	# types for BPF: with them a module wants its own, and pahole to make them
	rm -f "$work/new/$tree/vmlinux"
	ln -s "$tree" "$work/new/build"
	echo "$release" >"$work/new/release"
}

[ $# -eq 2 ] || fail "usage: headers.sh VERSION OUTDIR"
version=$1
[ "$(os_id)" = debian ] || skip "is Debian's; $(os_id) has no mirror of it"
"$(dirname "$0")/kernel.sh" "$version" "$2"
release=$(cat "$2/kernel-$version/release")
out=$(cd "$2" && pwd)/headers-$version
[ "$(cat "$out/release" 2>/dev/null)" != "$release" ] || exit 0
# somebody else may be at it
if [ -z "${LAB_LOCKED-}" ]; then
	LAB_LOCKED=yes exec flock "$2" "$0" "$@"
fi
apt_begin "$2"
fetch_from_suites fetch_debian
unpack
rm -rf "$out"
mv "$work/new" "$out"
