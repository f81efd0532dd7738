#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# inside.sh ARG... - overhead-inside, in the emulated host: with a disk in memory at /mnt
if [ -e /dev/ram0 ] && [ -e /ram.img ]; then
	cat /ram.img >/dev/ram0
	mkdir -p /mnt
	mount -t ext4 /dev/ram0 /mnt
fi
exec overhead-inside "$@"
