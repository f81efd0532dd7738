#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh PROGRAM|SCRIPT... - run tests one after the other, count each single test
#
# From the top of the tree. A line a program; all of its output only if something in it failed,
# and the reasons of what was skipped. The last line is "N passed, N failed, N skipped".
#
# A program is one of Criterion's. A script passes by exit status 0, is skipped by 77 with the
# reason in its last line, fails by any other; or it writes a report of its own, in the form of
# TAP, to $TEST_TAP. Failed is also what reports too little, what a sanitizer complains of
# (Criterion calls a test that leaks passed), and what takes too long: that is killed, with its
# process group. What a program leaves running in its group is killed, too.
#
# O             the output folder (build)
# TESTS="..."   only programs whose path has one of these words; * ? [abc] as in a shell
# TEST_TIMEOUT  seconds for each; else 600 for a program and 200 for a script, or what the script
#               says in a line "# timeout: N s"
#
# Exit status: 0 when tests ran and none failed, else 1.
set -u

O=${O:-build}
export O
grace=${TEST_GRACE:-10} # seconds from the word to end, so that a script cleans up, to SIGKILL
export UBSAN_OPTIONS="${UBSAN_OPTIONS-print_stacktrace=1}"

passed=0 failed=0 skipped=0 group=
work=$(mktemp -d) || exit 1
TEST_TAP=$work/tap
export TEST_TAP

# shellcheck disable=SC2317 # the traps call it
finish() {
	if [ -n "$group" ]; then
		kill -TERM "$group" 2>/dev/null # timeout hands it to what it runs
		wait "$group" 2>/dev/null
		kill -KILL "-$group" 2>/dev/null
	fi
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

uptime_s() {
	cut -d ' ' -f 1 /proc/uptime
}

is_wanted() {
	[ -n "${TESTS-}" ] || return 0
	set -f
	for word in $TESTS; do
		# shellcheck disable=SC2254 # a pattern
		case $name in
		*$word*)
			set +f
			return 0
			;;
		esac
	done
	set +f
	return 1
}

limit_of() {
	limit=600
	case $1 in
	*.sh)
		limit=$(sed -n 's/^# timeout: \([0-9][0-9]*\) s$/\1/p;20q' "$1")
		limit=${limit:-200}
		;;
	esac
	limit=${TEST_TIMEOUT:-$limit}
}

# sets status; timeout makes itself the leader of a process group
run_one() {
	rm -f "$TEST_TAP"
	case $1 in
	*.sh) set -- "$1" ;;
	*/unit/*) set -- "$1" --tap="$TEST_TAP" ;;
	# they wait, most of the time, for guests of their own
	*/test_guest_agent_port | */test_guest_qga | */test_guest_stream)
		set -- "$1" --jobs 3 --tap="$TEST_TAP"
		;;
	*) set -- "$1" --jobs 1 --tap="$TEST_TAP" ;;
	esac
	timeout -k "$grace" "$limit" "$@" >"$work/out" 2>&1 </dev/null &
	group=$!
	status=0
	wait "$group" || status=$?
	kill -KILL "-$group" 2>/dev/null
	group=
}

say() {
	echo "run.sh: $*" >>"$work/out"
}

# "ok - suite::name  # SKIP why" is how Criterion shows cr_skip_test(); sets ok, bad, skip
count_report() {
	skip=$(grep -c '^ok .*# SKIP' "$TEST_TAP")
	ok=$(($(grep -c '^ok ' "$TEST_TAP") - skip))
	bad=$(grep -c '^not ok ' "$TEST_TAP")
	planned=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$TEST_TAP" | awk '{ n += $1 } END { print n + 0 }')
	if [ $((ok + bad + skip)) -lt "$planned" ]; then
		say "only $((ok + bad + skip)) of $planned tests reported"
		bad=$((bad + planned - ok - bad - skip))
	elif [ "$planned" = 0 ]; then
		say "the report has no plan, or no tests"
		bad=$((bad + 1))
	fi
}

# what a script says without a report: sets ok, bad, skip and writes one
count_script() {
	ok=0 bad=0 skip=0
	case $status in
	0) ok=1 ;;
	77)
		skip=1
		printf 'ok - %s # SKIP %s\n' "${name##*/}" "$(tail -n 1 "$work/out")" >"$TEST_TAP"
		;;
	*) bad=1 ;;
	esac
}

# Tests that leaked are among those that passed, one complaint a test; which ones is not said.
count_complaints() {
	complaints=$(grep -c 'SUMMARY: .*Sanitizer\|: runtime error: ' "$work/out")
	[ "$complaints" != 0 ] || return 0
	say "a sanitizer complained $complaints times"
	more=$((complaints > bad ? complaints - bad : 0))
	more=$((more > ok ? ok : more))
	ok=$((ok - more))
	bad=$((bad + more))
	[ "$bad" != 0 ] || bad=1
}

# status and output against the report
judge() {
	if [ -s "$TEST_TAP" ]; then
		count_report
	elif [ "${name%.sh}" != "$name" ]; then
		count_script
	else
		ok=0 bad=1 skip=0
		say "ended without a report"
	fi
	if [ "$(echo "$seconds $limit" | awk '{ print ($1 >= $2) }')" = 1 ]; then
		say "killed after $limit s"
	fi
	count_complaints
	if [ "$bad" = 0 ] && [ "$status" != 0 ] && [ "$status" != 77 ]; then
		bad=1
		say "exit status $status, though no test failed"
	fi
}

show() {
	word=ok
	[ "$ok" != 0 ] || word=skip
	[ "$bad" = 0 ] || word=FAIL
	printf '%-4s  %-40s %3d passed, %d failed, %d skipped  %6.1f s\n' \
		"$word" "${name#tests/}" "$ok" "$bad" "$skip" "$seconds"
	if [ "$bad" != 0 ]; then
		sed 's/^/      | /' "$work/out"
	fi
	[ ! -s "$TEST_TAP" ] ||
		sed -n 's/^ok [^-]*- *\(.*[^ ]\)  *# SKIP *\(.*\)$/      skipped: \1: \2/p' "$TEST_TAP"
}

begin=$(uptime_s)
for program in "$@"; do
	case $program in */e2e/lib.sh | */e2e/kernel.sh) continue ;; esac
	name=${program#"$O"/}
	is_wanted || continue
	limit_of "$program"
	start=$(uptime_s)
	run_one "$program"
	seconds=$(echo "$(uptime_s) $start" | awk '{ print $1 - $2 }')
	judge
	show
	passed=$((passed + ok))
	failed=$((failed + bad))
	skipped=$((skipped + skip))
done
echo "$(uptime_s) $begin" | awk '{ printf "in %.0f s\n", $1 - $2 }'
[ $((passed + failed + skipped)) != 0 ] || echo "run.sh: no test to run: ${TESTS-no program given}" >&2
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
