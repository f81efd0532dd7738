#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh VERSION ARG... - overhead-inside ARG... in an emulated host whose clocks count instructions
#
# With kernel VERSION (tools/lab/kernel.sh), the module that `make kmod` has built for it and the
# programs of others (tools.sh), as far as they are to be had. O is the output folder.
#
# Exit status: run-in.sh's; 77: that kernel is not to be had.
set -eu

version=$1
shift
out=${O:-build}
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

# a disk in memory has 16 MiB
truncate -s 12M "$work/ram.img"
mke2fs -q -t ext4 -O ^has_journal "$work/ram.img"
pack=''
module=$out/kmod/$version/vmadj_kmod.ko
[ ! -f "$module" ] || pack="--file $module:/vmadj_kmod.ko"
for name in cpudist runqlat; do
	[ ! -x "$out/lab/bcc/$name" ] || pack="$pack --prog $out/lab/bcc/$name:/usr/sbin/$name"
done
# shellcheck disable=SC2086 # a list
tools/lab/run-in.sh "$version" --icount --mem 4G --module brd --timeout 2400 --out "$out/lab" \
	--prog "$out/tools/bench/overhead-inside" --prog "$out/tools/lab/kvmvm" $pack \
	--file "$work/ram.img:/ram.img" --file "$here/inside.sh:/inside.sh" -- sh /inside.sh "$@"
