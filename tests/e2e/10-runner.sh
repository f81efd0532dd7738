#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Does tests/run.sh count what fails, crashes, hangs, leaks or says nothing as failed, and what
# is skipped as skipped?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")
unset TEST_TAP TESTS TEST_TIMEOUT

# program NAME - a program of that name, from stdin
program() {
	cat >"$work/$1"
	chmod 755 "$work/$1"
}

# counts CODE "N passed, N failed, N skipped" NAME... - what run.sh says of these
counts() {
	code=$1 line=$2
	shift 2
	for program; do
		set -- "$@" "$work/$program"
		shift
	done
	run "$code" "$here/../run.sh" "$@"
	last=$(tail -n 1 "$work/out")
	[ "$last" = "$line" ] || fail "\"$last\" instead of \"$line\""
}

shows() {
	grep -q -- "$1" "$work/out" || fail "\"$1\" is not shown"
}

shows_not() {
	! grep -q -- "$1" "$work/out" || fail "\"$1\" is shown"
}

# --- Criterion itself: a test of each kind ---
cat >"$work/kinds.c" <<'END'
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef LEAK
Test(kinds, leaks) { void *volatile p = malloc(100); p = NULL; }
Test(kinds, passes) { cr_assert(1); }
#else
Test(kinds, passes) { cr_assert(1); }
Test(kinds, fails) { cr_assert(0, "said by the one that fails"); }
Test(kinds, is_skipped) { cr_skip_test("no such thing - here"); }
Test(kinds, crashes) { raise(SIGSEGV); }
Test(kinds, exits) { exit(3); }
Test(kinds, hangs, .timeout = 0.2) { sleep(20); }
#endif
END
${CC:-cc} "$work/kinds.c" -o "$work/kinds" -lcriterion
counts 1 "1 passed, 4 failed, 1 skipped" kinds
shows 'skipped: kinds::is_skipped: no such thing - here'
shows 'said by the one that fails'
${CC:-cc} -DLEAK -g -fsanitize=address "$work/kinds.c" -o "$work/leaks" -lcriterion
counts 1 "1 passed, 1 failed, 0 skipped" leaks
shows 'sanitizer complained'

# --- reports that cannot be believed ---
program good <<'END'
#!/bin/sh
for arg; do case $arg in --tap=*) tap=${arg#--tap=} ;; esac done
echo "not to be shown"
printf '1..2\nok - a::b  (0.00s)\nok - a::c  (0.00s)\n' >"$tap"
END
program silent <<'END'
#!/bin/sh
echo "nothing to report"
END
program short <<'END'
#!/bin/sh
for arg; do case $arg in --tap=*) tap=${arg#--tap=} ;; esac done
printf '1..3\nok - a::b  (0.00s)\n' >"$tap"
kill -SEGV $$
END
program empty <<'END'
#!/bin/sh
for arg; do case $arg in --tap=*) tap=${arg#--tap=} ;; esac done
printf '1..0\n' >"$tap"
END
program liar <<'END'
#!/bin/sh
for arg; do case $arg in --tap=*) tap=${arg#--tap=} ;; esac done
printf '1..1\nok - a::b  (0.00s)\n' >"$tap"
exit 1
END
counts 0 "2 passed, 0 failed, 0 skipped" good
shows_not 'not to be shown'
counts 1 "0 passed, 1 failed, 0 skipped" silent
shows 'nothing to report'
counts 1 "1 passed, 2 failed, 0 skipped" short
counts 1 "0 passed, 1 failed, 0 skipped" empty
counts 1 "1 passed, 1 failed, 0 skipped" liar
counts 1 "0 passed, 1 failed, 0 skipped" not-there

# --- scripts ---
program yes.sh <<'END'
#!/bin/sh
exit 0
END
program no.sh <<'END'
#!/bin/sh
echo "because of this"
exit 3
END
program skip.sh <<'END'
#!/bin/sh
echo "first line"
echo "no such host"
exit 77
END
program own.sh <<'END'
#!/bin/sh
printf '1..3\nok 1 - x\nok 2 - y # SKIP why not\nnot ok 3 - z\n' >"$TEST_TAP"
exit 1
END
counts 1 "1 passed, 1 failed, 1 skipped" yes.sh no.sh skip.sh
shows 'because of this'
shows 'skipped: skip.sh: no such host'
counts 1 "1 passed, 1 failed, 1 skipped" own.sh
# where nothing ran, nothing passed
counts 1 "0 passed, 0 failed, 1 skipped" skip.sh

# --- what hangs is ended, and what it started too ---
program hangs.sh <<END
#!/bin/sh
trap '' TERM
sleep 1000 &
echo \$! >"$work/child"
while :; do sleep 1; done
END
program hangs <<END
#!/bin/sh
sleep 1000 &
echo \$! >"$work/child"
wait
END
TEST_TIMEOUT=1 TEST_GRACE=1
export TEST_TIMEOUT TEST_GRACE
for name in hangs hangs.sh; do
	counts 1 "0 passed, 1 failed, 0 skipped" "$name"
	shows 'killed after 1 s'
	wait_until 2 sh -c "! kill -0 $(cat "$work/child")" || fail "$name: what it started lives on"
done
unset TEST_TIMEOUT TEST_GRACE

# --- only some ---
TESTS="goo nothing" counts 0 "2 passed, 0 failed, 0 skipped" good silent
TESTS=nothing counts 1 "0 passed, 0 failed, 0 skipped" good silent
