#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest.sh OUTDIR [VERSION] - make what a Linux guest boots: OUTDIR/guest.vmlinuz, OUTDIR/guest.cpio,
# and OUTDIR/guest-qga.cpio, which has the distribution's qemu-ga in it, where that is to be had
#
# VERSION is one of kernel.sh's; with another than "guest" they are called guest-VERSION.
#
# Does nothing when they are newer than what they are made from. A program that is not built
# (OUTDIR/../tools/lab/unixlike, filework, fileload, OUTDIR/../vmadjust-guest) is not in it.
#
# Exit status: 0; 1 on failure; 77 when this system has no kernel for them.
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
	echo "usage: guest.sh OUTDIR [VERSION]" >&2
	exit 1
fi
here=$(dirname "$0")
out=$1
version=${2-guest}
name=guest
[ "$version" = guest ] || name=guest-$version

fresh() {
	[ -f "$out/$name.cpio" ] && [ -f "$out/$name.vmlinuz" ] &&
		[ -z "$(find "$here/init.guest" "$here/image.sh" "$here/guest.sh" "$@" \
			-newer "$out/$name.cpio")" ]
}

mkdir -p "$out" # or there is no $out/..
# what is built of the programs
set --
for prog in "$out/../tools/lab/unixlike" "$out/../tools/lab/filework" \
	"$out/../tools/lab/fileload" "$out/../vmadjust-guest"; do
	[ ! -x "$prog" ] || set -- "$@" "$prog"
done

make_guest() {
	for prog in "$@"; do
		shift
		set -- "$@" --prog "$prog"
	done
	"$here/kernel.sh" "$version" "$out"
	"$here/image.sh" "$out/$name.cpio" --busybox --file "$here/init.guest:/init" "$@" \
		--modules "$out/kernel-$version" virtio_pci virtio_blk virtio_balloon virtio_console
	cp "$out/kernel-$version/vmlinuz" "$out/$name.vmlinuz"
}

# Without it, guests boot all the same.
add_qga() {
	"$here/qga.sh" "$out" || return 0
	"$here/image.sh" "$out/qga.cpio" --prog "$out/qemu-ga:/usr/sbin/qemu-ga"
	cat "$out/$name.cpio" "$out/qga.cpio" >"$out/$name-qga.new"
	rm "$out/qga.cpio"
	mv "$out/$name-qga.new" "$out/$name-qga.cpio"
}

fresh "$@" || make_guest "$@"
[ "$version" = guest ] || exit 0
[ -n "$(find "$out/$name-qga.cpio" -newer "$out/$name.cpio" 2>/dev/null)" ] || add_qga
