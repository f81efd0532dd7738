#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest.sh OUTDIR - make what a Linux guest boots: OUTDIR/guest.vmlinuz, OUTDIR/guest.cpio
#
# Does nothing when they are newer than what they are made from. A program that is not built
# (OUTDIR/../tools/lab/unixlike) is not in it.
#
# Exit status: 0; 1 on failure; 77 when this system has no kernel for them.
set -eu

[ $# -eq 1 ] || {
	echo "usage: guest.sh OUTDIR" >&2
	exit 1
}
here=$(dirname "$0")
out=$1
unixlike=$out/../tools/lab/unixlike
[ -x "$unixlike" ] || unixlike=

fresh() {
	[ -f "$out/guest.cpio" ] && [ -f "$out/guest.vmlinuz" ] &&
		[ -z "$(find "$here/init.guest" "$here/image.sh" "$here/guest.sh" \
			${unixlike:+"$unixlike"} -newer "$out/guest.cpio")" ]
}

! fresh || exit 0
"$here/kernel.sh" guest "$out"
"$here/image.sh" "$out/guest.cpio" --busybox --file "$here/init.guest:/init" \
	${unixlike:+--prog "$unixlike"} \
	--modules "$out/kernel-guest" virtio_pci virtio_blk virtio_balloon virtio_console
cp "$out/kernel-guest/vmlinuz" "$out/guest.vmlinuz"
