#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh RUNS NAME... - so many executions of each fuzz target, out of everybody's way
#
# From the top of the tree. What is new goes to $O/fuzz/corpus/NAME, what is found to $O/fuzz.
#
# Exit status: 0: nothing found; else 1.
set -eu

O=${O:-build}
runs=$1
shift

status=0
for name in "$@"; do
	mkdir -p "$O/fuzz/corpus/$name"
	set -- "$O/fuzz/corpus/$name"
	for seeds in "tests/data/fuzz/$name" "tests/data/$name"; do
		[ ! -d "$seeds" ] || set -- "$@" "$seeds"
	done
	[ ! -f "tests/fuzz/$name.dict" ] || set -- "-dict=tests/fuzz/$name.dict" "$@"
	if ASAN_OPTIONS=quarantine_size_mb=1:malloc_context_size=3 nice -n 19 "$O/fuzz/$name" -runs="$runs" -max_len=1200 -print_final_stats=1 \
		-close_fd_mask=2 \
		-artifact_prefix="$O/fuzz/$name-" "$@" >"$O/fuzz/$name.log" 2>&1; then
		word=ok
	else
		word=FOUND status=1
	fi
	printf '%-6s %-12s %s executions, %s features\n' "$word" "$name" \
		"$(sed -n 's/^stat::number_of_executed_units: *//p' "$O/fuzz/$name.log")" \
		"$(sed -n 's/.* ft: \([0-9]*\) .*/\1/p' "$O/fuzz/$name.log" | tail -n 1)"
done
exit $status
