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
# The packages come by the system's apt from the system's mirror, with signatures
# checked as always; suites that the system does not use have a private list
# beside them. Nothing of the system's is changed, root is not needed.
#
# Exit status: 0; 1 on failure; 77 when this kernel is not to be had here, with the reason.
set -eu

DEBIAN_KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

fail() {
	echo "kernel.sh: $*" >&2
	exit 1
}

skip() {
	echo "kernel.sh: kernel $version: $*" >&2
	exit 77
}

# suites that have it, the likeliest first
suites_of() {
	case $1 in
	6.1) echo bookworm ;;
	6.12) echo bookworm-backports trixie ;;
	esac
}

os_id() {
	# shellcheck source=/dev/null
	(. /etc/os-release && echo "$ID")
}

# The system's own mirror of Debian's main archive. Before the first "apt-get update"
# nothing says whose archive an address is but the address.
mirror_of_debian() {
	# shellcheck disable=SC2016 # for apt to expand
	mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' \
		'Created-By: Packages' | awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
	[ -n "$mirror" ] || mirror=$(apt-get update --print-uris |
		sed -n "s|^'\(.*/debian/\)dists/[a-z-]*/InRelease' .*|\1|p" | head -n 1)
	echo "$mirror"
}

apt_private() {
	tool=$1
	shift
	"$tool" -q -o "Dir::Etc::sourcelist=$work/apt/sources.list" -o Dir::Etc::sourceparts=- \
		-o "Dir::State::lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" \
		-o APT::Sandbox::User= -o Acquire::Languages=none "$@"
}

apt_system() {
	tool=$1
	shift
	"$tool" -q -o "Dir::Cache=$work/apt/cache" -o APT::Sandbox::User= "$@"
}

# what a metapackage stands for: its dependency "PREFIX..."
resolve() {
	"$1" apt-cache depends "$2" 2>/dev/null | awk -v p="$3" '
		$1 == "Depends:" && index($2, p) == 1 { print $2; exit }'
}

# from a suite that the system need not use
fetch_debian() {
	mirror=$(mirror_of_debian)
	[ -n "$mirror" ] || skip "the system's apt knows no Debian mirror"
	[ -r "$DEBIAN_KEYS" ] || skip "$DEBIAN_KEYS is not installed"
	for suite in $(suites_of "$1"); do
		echo "deb [signed-by=$DEBIAN_KEYS] $mirror $suite main" >"$work/apt/sources.list"
		apt_private apt-get update >"$work/apt.log" 2>&1 || continue
		image=$(resolve apt_private linux-image-cloud-amd64 "linux-image-$1.")
		[ -n "$image" ] || continue
		(cd "$work/debs" && apt_private apt-get download "$image") >>"$work/apt.log" 2>&1 ||
			continue
		return 0
	done
	[ ! -f "$work/apt.log" ] || cat "$work/apt.log" >&2
	skip "not in $(suites_of "$1") at $mirror, or the mirror does not answer"
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
	command -v apt-get >/dev/null || skip "no apt on this system"
	[ "$(dpkg --print-architecture)" = amd64 ] || skip "x86_64 only"
	case $(os_id):$version in
	ubuntu:guest) fetch_ubuntu ;;
	debian:6.1 | debian:6.12) fetch_debian "$version" ;;
	*:6.1 | *:6.12) skip "is Debian's; $(os_id) has no mirror of it" ;;
	*) skip "not one of 6.1, 6.12, guest" ;;
	esac
}

unpack() {
	for deb in "$work"/debs/*.deb; do
		dpkg-deb -x "$deb" "$work/root"
	done
	# /lib may be a link to usr/lib in newer packages
	[ -d "$work/root/lib/modules" ] || ln -s usr/lib "$work/root/lib"
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
work=$(mktemp -d "$(cd "$2" && pwd)/kernel.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
mkdir -p "$work/debs" "$work/root" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"

fetch
unpack
rm -rf "$out"
mv "$work/new" "$out"
