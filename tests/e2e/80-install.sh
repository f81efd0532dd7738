#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# make install and make uninstall: is what is installed whole, and is nothing left?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need make
dest=$work/dest
# make of the tree, whatever the make says that runs these tests
make_here() {
	run 0 env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory O="$O" DESTDIR="$dest" PREFIX=/usr "$@"
}

run 0 env -u MAKEFLAGS -u MAKELEVEL make -n --no-print-directory O="$O" DESTDIR="$dest" PREFIX=/usr install
grep -q 'install .*sbin/vmadjust-bpf' "$work/out" || fail "make install installs no program"
[ ! -e "$dest" ] || fail "make -n does something"

make_here install
[ -x "$dest/usr/sbin/vmadjust-bpf" ] || fail "the program is not installed"
page=$dest/usr/share/man/man8/vmadjust-bpf.8
[ -s "$page" ] || fail "the man page is not installed"
[ "$(find "$dest" -type f | wc -l)" = 2 ] || fail "installed: $(find "$dest" -type f)"
[ "$(stat -c %a "$dest/usr/sbin/vmadjust-bpf")" = 755 ] || fail "mode of the program"
[ "$(stat -c %a "$page")" = 644 ] || fail "mode of the man page"
run 0 "$dest/usr/sbin/vmadjust-bpf" --version
cmp -s "$dest/usr/sbin/vmadjust-bpf" "$bin" || fail "another program than the one built"
make_here install
make_here uninstall
[ -z "$(find "$dest" -type f)" ] || fail "left: $(find "$dest" -type f)"
make_here uninstall
