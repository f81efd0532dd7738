#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel.sh VERSION OUTDIR - unpack a distribution's kernel, without installing it
#
# VERSION  6.1, 6.12: Debian's cloud kernel of that version
#          guest: what Linux guests run: 6.1 on Debian, the distribution's own on Ubuntu
#
# Leaves in OUTDIR/kernel-VERSION: vmlinuz, lib/modules/RELEASE, release (its name).
# Once there it is taken as it is; remove the folder to have a newer one.
#
# apt.sh has how packages come here.
#
# Exit status: 0; 1 on failure; 77 when this kernel is not to be had here, with the reason.
set -eu
# shellcheck source=tools/lab/apt.sh
. "$(dirname "$0")/apt.sh"

fetch_debian() {
	image=$(resolve apt_private linux-image-cloud-amd64 "linux-image-$version.")
	[ -n "$image" ] && download "$image"
}

# Ubuntu keeps modules in packages of their own
fetch_ubuntu() {
	image=$(resolve apt_system linux-image-virtual linux-image-)
	[ -n "$image" ] || skip "the system's apt has no linux-image-virtual"
	release=${image#linux-image-}
	(cd "$work/debs" && apt_system apt-get download "$image" "linux-modules-$release") \
		>"$work/apt.log" 2>&1 || {
		cat "$work/apt.log" >&2
		skip "apt-get download $image failed"
	}
	# kvm and the like; not every flavour has them
	(cd "$work/debs" && apt_system apt-get download "linux-modules-extra-$release") \
		>>"$work/apt.log" 2>&1 || true
}

fetch() {
	case $(os_id):$version in
	ubuntu:guest) fetch_ubuntu ;;
	debian:6.1 | debian:6.12) fetch_from_suites fetch_debian ;;
	*:6.1 | *:6.12) skip "is Debian's; $(os_id) has no mirror of it" ;;
	*) skip "not one of 6.1, 6.12, guest" ;;
	esac
}

unpack() {
	unpack_debs
	set -- "$work"/root/boot/vmlinuz-*
	[ -f "$1" ] || fail "no kernel in $image"
	release=${1##*/vmlinuz-}
	mkdir -p "$work/new/lib/modules"
	cp "$1" "$work/new/vmlinuz"
	mv "$work/root/lib/modules/$release" "$work/new/lib/modules/"
	# busybox loads no compressed modules, and its depmod reads none
	find "$work/new/lib/modules" -name '*.ko.xz' -exec xz -d {} +
	find "$work/new/lib/modules" -name '*.ko.zst' -exec zstd -q -d --rm {} +
	busybox depmod -b "$work/new" "$release" >"$work/depmod.log" 2>&1 ||
		fail "depmod: $(cat "$work/depmod.log")"
	echo "$release" >"$work/new/release"
}

[ $# -eq 2 ] || fail "usage: kernel.sh VERSION OUTDIR"
version=$1
out=$2/kernel-$version
[ ! -f "$out/release" ] || exit 0
mkdir -p "$2"
# somebody else may be at it
if [ -z "${LAB_LOCKED-}" ]; then
	LAB_LOCKED=yes exec flock "$2" "$0" "$@"
fi
if [ "$(os_id):$version" = debian:guest ]; then
	"$0" 6.1 "$2"
	ln -sfn kernel-6.1 "$out"
	exit 0
fi
apt_begin "$2"

fetch
unpack
rm -rf "$out"
mv "$work/new" "$out"
