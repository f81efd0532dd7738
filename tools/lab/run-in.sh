#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# run-in.sh VERSION [OPTION...] -- COMMAND [ARG...] - run a command under another kernel
#
# Boots kernel VERSION (kernel.sh: 6.1, 6.12) under QEMU's TCG with KVM in it, so that
# the command finds a host of its own: root, /dev/kvm, tracefs, bpffs, cgroup2, and
# ext4 on a disk at /var/tmp. Streams its output, returns its exit status. VERSION may
# be "host": then the command just runs here, for one loop over all kernels.
#
# --prog PROGRAM[:DST]  pack a program with its libraries; DST defaults to /usr/bin/NAME
# --file SRC[:DST]      pack a file or folder; DST defaults to SRC
# --smp N               CPUs (1). With more, 6.12 above all dies of an Oops: int3 at times:
#                       QEMU 7.2 loses code that one CPU patches while another runs it
# --mem SIZE            memory (2G)
# --icount              CPUs whose clock counts instructions: costs repeat exactly
# --append ARGS         more for the kernel command line
# --module NAME         one more kernel module of that kernel to load
# --timeout SECONDS     after that it is ended (300)
# --out DIR             where kernels and images are kept (build/lab)
#
# Exit status: the command's; 124 after the timeout; 125 when the guest fails; 77 when
# that kernel is not to be had, with the reason.
set -eu

fail() {
	echo "run-in.sh: $*" >&2
	exit 125
}

# a shell word that reads back as $1
quote() {
	printf "'%s' " "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

# what the kernel needs whatever the command: made once a kernel
make_base() {
	base=$out/host-$version.cpio
	# shellcheck disable=SC2086 # a list
	set -- "$out/kernel-$version" kvm-amd virtio_pci virtio_blk virtio_console $modules
	[ -z "$modules" ] || base=$work/base.cpio
	if [ ! -f "$base" ] || [ -n "$(find "$here/init.host" "$here/image.sh" \
		"$out/kernel-$version" -maxdepth 0 -newer "$base")" ]; then
		"$here/image.sh" "$base" --busybox --file "$here/init.host:/init" --modules "$@"
	fi
}

# what a killed run has left, seen by its number being nobody's
sweep() {
	for dir in "$out"/run.*; do
		pid=${dir##*/run.}
		[ ! -d "$dir" ] || [ -d "/proc/${pid%.*}" ] || rm -rf "$dir"
	done
}

# a QEMU that never opened its ends would leave the readers waiting for it
release() {
	: <>"$work/out"
	: <>"$work/err"
}

# shellcheck disable=SC2317 # the trap calls it
finish() {
	if [ -n "${qemu-}" ]; then
		kill "$qemu" 2>/dev/null || true
		release
		wait
	fi
	rm -rf "$work"
}

[ $# -ge 1 ] || fail "usage: run-in.sh VERSION [OPTION...] -- COMMAND [ARG...]"
here=$(cd "$(dirname "$0")" && pwd)
version=$1
shift
out=build/lab smp=1 mem=2G append='' limit=300 modules='' icount=''
# the options of image.sh, as shell words: file names may hold spaces
pack=''
while [ $# -gt 0 ]; do
	option=$1
	shift
	case $option in
	--) break ;;
	--icount) icount=yes && continue ;;
	esac
	[ $# -gt 0 ] || fail "$option wants an argument"
	case $option in
	--prog | --file) pack="$pack $option $(quote "$1")" ;;
	--smp) smp=$1 ;;
	--mem) mem=$1 ;;
	--append) append=$1 ;;
	--module) modules="$modules $1" ;;
	--timeout) limit=$1 ;;
	--out) out=$1 ;;
	*) fail "$option: no such option" ;;
	esac
	shift
done
[ $# -gt 0 ] || fail "no command"
[ "$version" != host ] || exec timeout -k 5 "$limit" "$@"

mkdir -p "$out"
sweep
got=0
"$here/kernel.sh" "$version" "$out" || got=$?
[ $got != 77 ] || exit 77
[ $got = 0 ] || fail "no kernel $version"
work=$(mktemp -d "$out/run.$$.XXXXXX")
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
make_base
for word in "$@"; do
	quote "$word"
done >"$work/command"
eval "\"\$here/image.sh\" \"\$work/own.cpio\" --file \"\$work/command:/lib/lab/command\" $pack" ||
	fail "cannot pack what was asked for"
cat "$base" "$work/own.cpio" >"$work/initrd"
truncate -s 4G "$work/disk"
mke2fs -q -t ext4 "$work/disk"
mkfifo "$work/out" "$work/err"

# QEMU 7.2 loses the flags of cmpxchg16b now and then: every second boot of 6.12 dies of it
set -- -accel tcg -cpu max,cx16=off -smp "$smp" -m "$mem" \
	-nodefaults -no-user-config -display none -no-reboot \
	-kernel "$out/kernel-$version/vmlinuz" -initrd "$work/initrd" \
	-append "console=ttyS0 quiet panic=-1 mitigations=off $append" \
	-serial "file:$work/console" \
	-drive "file=$work/disk,if=virtio,format=raw,cache=unsafe" \
	-device virtio-serial
for port in out err status; do
	set -- "$@" -chardev "file,id=$port,path=$work/$port" \
		-device "virtserialport,chardev=$port,name=lab.$port"
done
[ -z "$icount" ] || set -- "$@" -icount shift=0,sleep=off

# QEMU ends with "timeout", and that with this script, even if it is killed
boot() {
	: >"$work/status"
	cat "$work/out" &
	cat "$work/err" >&2 &
	ended=0
	setpriv --pdeathsig TERM timeout -k 5 "$limit" qemu-system-x86_64 "$@" </dev/null \
		>"$work/qemu" 2>&1 &
	qemu=$!
	wait "$qemu" || ended=$?
	qemu=
	release
	wait
}

# A boot that fails had not begun with the command: it may be tried again.
for try in 1 2 3; do
	boot "$@"
	if [ -s "$work/status" ] || [ "$ended" != 0 ] || [ $try = 3 ]; then
		break
	fi
	echo "run-in.sh: kernel $version did not boot, trying again" >&2
done
status=$(sed -n 2p "$work/status")
[ -z "$status" ] || exit "$status"
if [ "$ended" = 124 ]; then
	echo "run-in.sh: kernel $version: not done after $limit s" >&2
else
	ended=125
	echo "run-in.sh: kernel $version: ended without a status" >&2
fi
tail -n 20 "$work/qemu" "$work/console" >&2 || true
exit "$ended"
