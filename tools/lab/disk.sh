#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# disk.sh OUT - make the disk that fileload reads: an ext2 file system of 6.5 GiB, all of it real
#
# /0 ... /4999   files of 128 KiB
# /image0 ... 7  files of 24 MiB
# /big           one file of 5 GiB
#
# It is only read, so any number of guests may share it. All its content is zeroes: blocks are
# given to the files without being written, then the whole image is written as it is, so that a
# read of a guest past the host's cache is one of the host's disk.
set -eu

[ $# -eq 1 ] || {
	echo "usage: disk.sh OUT" >&2
	exit 1
}
PATH=$PATH:/usr/sbin:/sbin
out=$1
mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$(cd "$(dirname "$out")" && pwd)/disk.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

# file NAME BYTES
file() {
	echo "write /dev/null $1"
	# without extents there is no mark that a block was not written yet
	echo "fallocate $1 0 $(($2 / 4096 - 1))"
	echo "set_inode_field $1 size $2"
}

mke2fs -q -t ext2 -b 4096 -E lazy_itable_init=0 -N 6000 -m 0 \
	"$work/sparse" 6656m >/dev/null
i=0
while [ "$i" -lt 5000 ]; do
	file "$i" 131072
	i=$((i + 1))
done >"$work/commands"
for i in 0 1 2 3 4 5 6 7; do
	file "image$i" 25165824
done >>"$work/commands"
file big 5368709120 >>"$work/commands"
debugfs -w -f "$work/commands" "$work/sparse" >"$work/log" 2>&1
! grep -v '^debugfs\|^Allocated inode\|^$' "$work/log" >&2 || exit 1
e2fsck -fn "$work/sparse" >"$work/log" 2>&1 || {
	cat "$work/log" >&2
	exit 1
}
cp --sparse=never "$work/sparse" "$work/disk"
mv "$work/disk" "$out"
