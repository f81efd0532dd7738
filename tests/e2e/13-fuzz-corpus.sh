#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Does each fuzz target still take what its corpus has?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

for target in "$O"/tests/fuzz/*; do
	case $target in *.d | *'*') continue ;; esac
	name=${target##*/}
	run 0 "$target" "tests/data/fuzz/$name" "tests/data/$name"
	replayed="${replayed-} $name"
done
[ "${replayed-}" ] || fail "no fuzz target is built"
