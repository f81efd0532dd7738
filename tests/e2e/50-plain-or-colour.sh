#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Colour and cursor movements: on a terminal only, and not when NO_COLOR is set?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_observer
start_vm "$(printf 'evil\033[31mname')" --load busy
escape=$(printf '\033')

plain() {
	! grep -q "$escape" "$work/out" || fail "escape sequences: $1"
	! grep -q "$escape" "$work/err" || fail "escape sequences in messages: $1"
}

run 0 "$bin" dump --count 2 --interval 0.2
grep -q evil "$work/out" || fail "the VM is not in the table"
plain "into a file"
run 0 "$bin" doctor
plain "doctor into a file"
run 0 "$bin" dump --json --count 1
plain "JSON"
run 0 env TERM=xterm "$bin" --help
plain "help into a file"

need script
on_terminal() {
	rm -f "$work/typescript"
	run 0 script -qec "$1" "$work/typescript"
}

on_terminal "env TERM=xterm '$bin' dump --count 2 --interval 0.3"
grep -q "$escape\[" "$work/typescript" || fail "no colour on a terminal"
grep -q evil "$work/typescript" || fail "no table on a terminal"

# The cursor: hidden while it draws, there again at the end, also after a signal.
cursor_is_back() {
	[ "$(grep -ao "$escape\[?25[hl]" "$work/typescript" | tail -n 1)" = "${escape}[?25h" ] ||
		fail "the cursor is not restored: $1"
	grep -aq "$escape\[?25l" "$work/typescript" || fail "the cursor is not hidden: $1"
}
cursor_is_back "after --count"
on_terminal "env TERM=xterm timeout --foreground -s INT 1.5 '$bin' dump --interval 0.3 || :"
cursor_is_back "after SIGINT"
on_terminal "env TERM=xterm '$bin' dump --count 2 --interval 0.3"
! grep -q "$escape\[31mname" "$work/typescript" || fail "a VM's name reaches the terminal"
on_terminal "env TERM=xterm '$bin' doctor"
grep -q "$escape\[" "$work/typescript" || fail "doctor: no colour on a terminal"

# A colour is a sequence that ends with m; the screen may still be redrawn in place.
colour="$escape\[[0-9;]*m"
for how in "NO_COLOR=1 '$bin' dump" "NO_COLOR=1 '$bin' doctor" "'$bin' dump --no-color" \
	"TERM=dumb '$bin' dump"; do
	case $how in
	*dump*) how="$how --count 1 --interval 0.2" ;;
	esac
	on_terminal "env TERM=xterm $how"
	! grep -q "$colour" "$work/typescript" || fail "colour: $how"
done
on_terminal "env TERM=xterm '$bin' dump --json --count 1 --interval 0.2"
! grep -q "$escape" "$work/typescript" || fail "escape sequences in JSON on a terminal"
