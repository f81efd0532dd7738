#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Something is missing on this host: does it work without, or say what and why?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_observer
need unshare
start_vm "still-here" --load busy

# Without the BPF file system: all but the pinned maps.
run 0 unshare -m sh -c "umount -l /sys/fs/bpf 2>/dev/null
	exec '$bin' dump --json --count 1"
grep -q '"name":"still-here"' "$work/out" || fail "no BPF file system: the VM is not seen"
run 0 unshare -m sh -c "umount -l /sys/fs/bpf 2>/dev/null; exec '$bin' doctor"
grep -q 'mount -t bpf' "$work/out" || fail "no BPF file system: doctor does not say what to do"

# A folder for pins that is on no such file system is the same.
run 0 "$bin" dump --json --count 1 --pin-dir "$work/pins"
grep -q '"name":"still-here"' "$work/out" || fail "pins elsewhere: the VM is not seen"

# Without the kernel's types nothing can be done.
for how in "mount -t tmpfs none /sys/kernel/btf" \
	"mount --bind /dev/null /sys/kernel/btf/vmlinux"; do
	run 3 unshare -m sh -c "$how && exec '$bin' dump --json --count 1"
	said BTF
	[ ! -s "$work/out" ] || fail "$how: something on standard output"
	run 3 unshare -m sh -c "$how && exec '$bin' doctor"
	grep -q CONFIG_DEBUG_INFO_BTF "$work/out" || fail "$how: doctor does not say what to do"
done

# In a process-id namespace of its own it would take one process for another.
run 3 unshare -m -p -f --mount-proc "$bin" dump --json --count 1
said namespace

# Without a network (KVM's news come over netlink): each sample looks for itself.
run 0 unshare -n "$bin" dump --json --count 1
grep -q '"name":"still-here"' "$work/out" || fail "no netlink: the VM is not seen"

# Without /dev/kvm there may still be QEMUs.
run 0 unshare -m sh -c "mount -t tmpfs none /dev && mknod /dev/null c 1 3 && exec '$bin' doctor"
grep -q '/dev/kvm' "$work/out" || fail "no /dev/kvm: doctor does not say so"
check_no_orphans "all of this"
