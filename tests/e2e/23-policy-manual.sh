#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Do the policies of vmadjust-policy(7) and README compile, load and wish, and has the page every
# name of the headers?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need cc
page=docs/vmadjust-policy.7

# example N - of the page, as man shows it
example() {
	awk -v n="$1" '/^\.EX$/ { k++; inside = 1; next } /^\.EE$/ { inside = 0 } inside && k == n' \
		"$page" | sed -e 's/\\-/-/g' -e 's/\\e/\\/g'
}

# wishes NAME LINE [OPTION...] - the policy compiles without a warning and wishes just that, on the
# made-up VMs
wishes() {
	name=$1 line=$2
	shift 2
	run 0 "$bin" policy build "$work/$name.c"
	[ ! -s "$work/err" ] || fail "$name compiles with warnings"
	run 0 "$bin" policy check "$work/$name.so" "$@"
	grep -q "^policy  *$name\$" "$work/out" || fail "$name: its name is not told"
	grep -q "$line" "$work/out" || fail "$name wishes something else"
	[ "$(grep -c ' nice ' "$work/out")" = 1 ] || fail "$name wishes more"
}

example 1 >"$work/thrift.c"
example 2 >"$work/thrift_too.c"
awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' README.md >"$work/patience.c"
wishes thrift 'nice 1 .*of a CPU'
wishes thrift_too 'nice 1 '
wishes patience '^batch1  *nice -1  *waits 60 % of the time$' --set above=30

# members STRUCT - of policy.h, without arrays' sizes and padding
members() {
	sed -n "/^struct $1 {/,/^};/p" policies/policy.h |
		sed -e 's|/\*.*||' -e 's|^[^/]*\*/||' -e 's/\[[^]]*\]//g' |
		sed -n 's/^\t[a-z0-9_]* \([a-z0-9_, ]*\);.*/\1/p' | tr -d ' ' | tr ',' '\n' | grep -vx pad
}

members vmadj_policy_vm >"$work/names"
[ "$(wc -l <"$work/names")" -gt 30 ] || fail "the members of a VM are not found"
{
	members vmadj_policy_snapshot
	sed -n 's/^static inline .*[ *]\([a-z_]*[a-z]\)(.*/\1/p' policies/peacemaker.h
	grep -o 'vmadj_wish_[a-z]*' policies/policy.h
	grep -o 'VMADJ_PARAM_[A-Z]*' policies/policy.h
} >>"$work/names"
# as a reader sees it: without the marks of fonts
sed 's/\\f[BIRP]/ /g' "$page" >"$work/page"
while read -r name; do
	grep -qw -- "$name" "$work/page" || fail "the page lacks $name"
done <"$work/names"
