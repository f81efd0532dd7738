#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# image.sh OUT.cpio [OPTION...] - make an initramfs of what is asked for
#
# --busybox                    a static busybox and the folders that an init expects
# --file SRC[:DST]             a file or folder as it is; DST defaults to SRC
# --prog PROGRAM[:DST]         a program with the shared libraries it names; DST defaults to
#                              /usr/bin/NAME
# --modules KERNELDIR NAME...  kernel modules of kernel.sh, with those they need, and
#                              /lib/lab/modules: their paths in the order to load them
#
# Uncompressed: loading is free, inflating under TCG is not. Images may be
# concatenated; of a file in two of them, the later one counts.
set -eu

fail() {
	echo "image.sh: $*" >&2
	exit 1
}

# put SRC DST
put() {
	[ -e "$1" ] || fail "$1: no such file"
	mkdir -p "$root/$(dirname "$2")"
	# the file behind a link: its target need not be in the image
	cp -rL "$1" "$root/$2"
}

add_file() {
	case $1 in
	*:*) put "${1%%:*}" "${1#*:}" ;;
	*) put "$1" "$1" ;;
	esac
}

add_prog() {
	src=${1%%:*}
	case $1 in
	*:*) dst=${1#*:} ;;
	*) dst=/usr/bin/${1##*/} ;;
	esac
	put "$src" "$dst"
	# ldd fails on a static program: then there is nothing to add
	libs=$(ldd "$src" 2>/dev/null || true)
	case $libs in
	*"not found"*) fail "$src: $(echo "$libs" | grep "not found")" ;;
	esac
	for lib in $(echo "$libs" | grep -o '/[^ ]*'); do
		[ -e "$root/$lib" ] || put "$lib" "$lib"
	done
}

add_busybox() {
	busybox=$(command -v busybox) || fail "busybox is not installed"
	! ldd "$busybox" >/dev/null 2>&1 || fail "$busybox is not static: install busybox-static"
	for dir in bin sbin dev proc sys tmp run root etc usr/bin usr/sbin var/tmp lib/lab; do
		mkdir -p "$root/$dir"
	done
	cp "$busybox" "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
}

# paths of a module and all it needs, those that others need first
module_paths() {
	awk -v want="$2" '
		function visit(path,   n, i, need) {
			if (path in seen)
				return
			seen[path] = 1
			n = split(needs[path], need, " ")
			for (i = n; i > 0; i--)
				visit(need[i])
			print path
		}
		{
			path = $1
			sub(":$", "", path)
			name = path
			sub(".*/", "", name)
			sub("[.]ko$", "", name)
			gsub("-", "_", name)
			path_of[name] = path
			$1 = ""
			needs[path] = $0
		}
		END {
			gsub("-", "_", want)
			if (want in path_of)
				visit(path_of[want])
		}' "$1/modules.dep"
}

add_module() {
	paths=$(module_paths "$1" "$2")
	if [ -z "$paths" ]; then
		tr - _ <"$1/modules.builtin" | grep -q "/$(echo "$2" | tr - _)[.]ko" ||
			fail "$1 has no module $2"
		return 0
	fi
	for path in $paths; do
		[ ! -e "$root/lib/lab/$path" ] || continue
		put "$1/$path" "/lib/lab/$path"
		echo "/lib/lab/$path" >>"$root/lib/lab/modules"
	done
}

[ $# -ge 1 ] || fail "usage: image.sh OUT.cpio [OPTION...]"
out=$1
shift
mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$(cd "$(dirname "$out")" && pwd)/image.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
root=$work/root
mkdir "$root"

while [ $# -gt 0 ]; do
	option=$1
	shift
	case $option in
	--busybox) add_busybox ;;
	--file | --prog)
		[ $# -ge 1 ] || fail "$option wants an argument"
		"add_${option#--}" "$1"
		shift
		;;
	--modules)
		[ -f "${1-}/release" ] || fail "--modules: ${1-}: not made by kernel.sh"
		modules=$1/lib/modules/$(cat "$1/release")
		shift
		while [ $# -gt 0 ] && [ "${1#--}" = "$1" ]; do
			add_module "$modules" "$1"
			shift
		done
		;;
	*) fail "$option: no such option" ;;
	esac
done

(cd "$root" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >"$work/out"
mv "$work/out" "$out"
