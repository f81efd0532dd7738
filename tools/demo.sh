#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# demo.sh - show the VMs of this host for 15 seconds
#
# Where there are none, two small Linux guests (TCG: slow, but they run anywhere) and,
# if /dev/kvm can be used, a tiny KVM guest are started first, and stopped at the end,
# whichever way it ends. $O: the output folder (build). Wants root.
set -eu

OUT=${O:-build}
TOOL=$OUT/vmadjust-bpf
BOOT_SECONDS=60

fail() {
	echo "demo.sh: $*" >&2
	exit 1
}

show() {
	"$TOOL" dump --interval 1 --count 15
}

# What is started here ends with this script, even if it is killed. Its stdin never
# ends: kvmvm would take that as the word to stop.
start() {
	setpriv --pdeathsig KILL "$@" <&3 >>"$work/log" 2>&1 &
	pids="$pids $!"
}

start_linux() {
	start qemu-system-x86_64 -name "$1,debug-threads=on" -accel tcg \
		-cpu qemu64,cx16=off -smp "$2" -m 128 -nodefaults -no-user-config -display none -no-reboot \
		-kernel "$OUT/lab/guest.vmlinuz" -initrd "$OUT/lab/guest.cpio" \
		-append "console=ttyS0 quiet panic=-1 mitigations=off lab.load=$3" \
		-serial "file:$work/$1.console" \
		-drive "file=$work/disk,if=virtio,format=raw,file.locking=off"
}

start_kvm() {
	start "$OUT/tools/lab/kvmvm" --name "$1" --vcpus 1 --load "$2"
}

wait_booted() {
	for _ in $(seq $((BOOT_SECONDS * 10))); do
		booted=yes
		for name in "$@"; do
			grep -q LAB-READY "$work/$name.console" 2>/dev/null || booted=no
		done
		[ $booted = no ] || return 0
		sleep 0.1
	done
	cat "$work/log" >&2
	fail "the guests did not boot within $BOOT_SECONDS s"
}

# shellcheck disable=SC2317 # the trap calls it
finish() {
	for pid in $pids; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	wait
	rm -rf "$work"
}

[ -x "$TOOL" ] || fail "$TOOL is not built: run make"
seen=$("$TOOL" dump --json --count 1) || exit
case $seen in
*'"vms":[]'*) ;;
*)
	echo "The VMs of this host:"
	show
	exit
	;;
esac
[ -f "$OUT/lab/guest.cpio" ] || fail "no guest image: run make lab-images"

echo "No VM runs here; starting some for the demonstration."
pids=
work=$(mktemp -d /var/tmp/vmadj-demo-XXXXXX)
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkfifo "$work/never"
exec 3<>"$work/never"
truncate -s 64M "$work/disk"
start_linux demo-busy 2 busy
start_linux demo-disk 1 diskread
if [ -w /dev/kvm ]; then
	start_kvm demo-kvm mix
fi
wait_booted demo-busy demo-disk
show
