#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# setup.sh [--check] - install what building, testing and linting need, if it is missing
#
# Debian 12 and later, Ubuntu 24.04 and later: by apt, as root. Elsewhere it prints
# what to install. With --check it only says what is missing. When nothing is, it
# does nothing, in a fraction of a second, as anybody.
#
# Exit status: 0 when all is there; 1 when something is missing.
set -eu

# What is used, and the package that has it ("-": the same as Debian's). WHAT is a
# program; "pc:NAME" a pkg-config module; "h:NAME" a header; "so:NAME" a file in a
# library folder; "file:PATH".
table() {
	cat <<-'END'
		# what            for    debian                         ubuntu               fedora
		gcc               build  gcc                            -                    gcc
		make              build  make                           -                    make
		clang             build  clang                          -                    clang
		bpftool           build  bpftool                        linux-tools-generic  bpftool
		pkg-config        build  pkg-config                     -                    pkgconf-pkg-config
		pc:libbpf         build  libbpf-dev                     -                    libbpf-devel
		pc:jansson        build  libjansson-dev                 -                    jansson-devel
		pc:libsystemd     build  libsystemd-dev                 -                    systemd-devel
		pc:inih           build  libinih-dev                    -                    inih-devel
		pc:libseccomp     build  libseccomp-dev                 -                    libseccomp-devel
		pc:libcap-ng      build  libcap-ng-dev                  -                    libcap-ng-devel
		so:libelf.a       build  libelf-dev                     -                    elfutils-libelf-devel-static
		so:libz.a         build  zlib1g-dev                     -                    zlib-static
		pc:libvirt        build  libvirt-dev                    -                    libvirt-devel
		h:criterion/criterion.h test libcriterion-dev           -                    libcriterion-devel
		qemu-system-x86_64 test  qemu-system-x86                -                    qemu-system-x86-core
		libvirtd          test   libvirt-daemon                 -                    libvirt-daemon
		so:libvirt/connection-driver/libvirt_driver_qemu.so test libvirt-daemon-driver-qemu - libvirt-daemon-driver-qemu
		file:/etc/libvirt/qemu.conf test libvirt-daemon-system  -                    libvirt-daemon-driver-qemu
		virsh             test   libvirt-clients                -                    libvirt-client
		busybox           test   busybox-static                 -                    busybox
		cpio              test   cpio                           -                    cpio
		xz                test   xz-utils                       -                    xz
		zstd              test   zstd                           -                    zstd
		mke2fs            test   e2fsprogs                      -                    e2fsprogs
		setpriv           test   util-linux                     -                    util-linux
		setcap            test   libcap2-bin                    -                    libcap
		perf              test   linux-perf                     linux-tools-generic  perf
		clang-format      lint   clang-format                   -                    clang-tools-extra
		clang-tidy        lint   clang-tidy                     -                    clang-tools-extra
		cppcheck          lint   cppcheck                       -                    cppcheck
		shellcheck        lint   shellcheck                     -                    ShellCheck
	END
}

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

fail() {
	echo "setup.sh: $*" >&2
	exit 1
}

exists() {
	for path in "$@"; do
		[ ! -e "$path" ] || return 0
	done
	return 1
}

have() {
	case $1 in
	pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
	h:*) [ -e "/usr/include/${1#h:}" ] ;;
	so:*) exists /usr/lib/"${1#so:}" /usr/lib64/"${1#so:}" /usr/lib/*/"${1#so:}" ;;
	file:*) [ -e "${1#file:}" ] ;;
	# on Ubuntu a wrapper that may find nothing for the running kernel to call
	bpftool | perf) "$1" version >/dev/null 2>&1 || exists /usr/lib/linux-tools/*/"$1" ;;
	# a busybox that needs libraries is of no use in a guest
	busybox) command -v busybox >/dev/null && ! ldd "$(command -v busybox)" >/dev/null 2>&1 ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# "WHAT PACKAGE" of all that is missing
missing() {
	table | while read -r what purpose debian ubuntu fedora; do
		[ "$what" != "#" ] || continue
		case $os in
		ubuntu) [ "$ubuntu" = - ] && package=$debian || package=$ubuntu ;;
		fedora) package=$fedora ;;
		*) package=$debian ;;
		esac
		have "$what" || echo "$what $package $purpose"
	done
}

packages() {
	echo "$1" | cut -d ' ' -f 2 | sort -u | tr '\n' ' '
}

os=unknown
if [ -r /etc/os-release ]; then
	# shellcheck source=/dev/null
	os=$(. /etc/os-release && echo "$ID")
fi
case ${1-} in
'' | --check) ;;
--help) sed -n '4,10s/^# \{0,1\}//p' "$0" && exit 0 ;;
*) fail "usage: setup.sh [--check]" ;;
esac

lacking=$(missing)
[ -n "$lacking" ] || exit 0
if [ "${1-}" = --check ]; then
	echo "$lacking" | while read -r what package purpose; do
		echo "missing: $what (package $package, to $purpose)"
	done
	exit 1
fi
list=$(packages "$lacking")
case $os in
debian | ubuntu) ;;
*) fail "on this system ($os) please install: $list" ;;
esac
[ "$(id -u)" -eq 0 ] || fail "missing: $list- run this as root, or: apt-get install $list"

echo "setup.sh: installing $list"
# Services start when somebody wants them; the lab starts what it needs.
export DEBIAN_FRONTEND=noninteractive
apt-get update -q || fail "apt-get update failed"
# shellcheck disable=SC2086 # a list
apt-get install -q -y --no-install-recommends $list || fail "apt-get install failed"

lacking=$(missing)
[ -z "$lacking" ] || fail "still missing after the installation: $(echo "$lacking" | tr '\n' ';')"
