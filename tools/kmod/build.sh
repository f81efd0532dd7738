#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# build.sh VERSION O SOURCE... - build vmadj_kmod.ko for a kernel of the lab
#
# Into O/kmod/VERSION; nothing is done if that is newer than the sources and the headers. A source
# that has not changed is not copied, so that the kernel's makefiles know what is new.
#
# Exit status: 0; 1 on failure; 77 when the headers are not to be had, with the reason.
set -eu

version=$1 out=$2
shift 2
tools/lab/headers.sh "$version" "$out/lab"
headers=$out/lab/headers-$version
dir=$out/kmod/$version
module=$dir/vmadj_kmod.ko
if [ -f "$module" ] && [ -z "$(find "$@" "$headers/release" tools/kmod/build.sh -newer "$module")" ]; then
	exit 0
fi
printf '  %-7s %s\n' KMOD "$module"
for source in "$@"; do
	mkdir -p "$dir/tree/$(dirname "$source")"
	cmp -s "$source" "$dir/tree/$source" || cp "$source" "$dir/tree/$source"
done
make --no-print-directory -C "$headers/build" "M=$(cd "$dir/tree/tools/kmod" && pwd)" modules \
	>"$dir/log" 2>&1 || {
	cat "$dir/log" >&2
	exit 1
}
grep -i warning "$dir/log" >&2 || true
cp "$dir/tree/tools/kmod/vmadj_kmod.ko" "$module"
