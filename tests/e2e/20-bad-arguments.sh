#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Wrong command lines: exit status 2, one message that names the word and the way out, and
# nothing done? And is there help for all?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# refused WORD WAY-OUT ARGUMENT... - both are in the one line of the message
refused() {
	word=$1 way=$2
	shift 2
	run 2 "$bin" "$@"
	[ "$(wc -l <"$work/err")" = 1 ] || fail "not one message: $*"
	[ ! -s "$work/out" ] || fail "something on standard output: $*"
	grep -qF -- "$word" "$work/err" || fail "\"$word\" is not named: $*"
	grep -qE -- "$way" "$work/err" || fail "no way out ($way) is named: $*"
	! grep -q "$(printf '[\001-\010\013-\037\177]')" "$work/err" || fail "control characters: $*"
}

for interval in 0 -1 nan inf 1e9 abc 1e-9 0x1 1s1 0.099 3601 1,5 -0 99999999999999999999; do
	refused "$interval" '0\.1 to 3600 seconds' dump --interval "$interval" --count 1
	refused "$interval" '0\.1 to 3600 seconds' dump --interval="$interval" --count 1
done
refused --interval '0\.1 to 3600 seconds' dump --interval ''
refused --interval '0\.1 to 3600 seconds' dump --interval ' '
for count in -1 0 1.5 nan x + 99999999999999999999; do
	refused "$count" '1 or more' dump --count "$count"
done
refused --count '1 or more' dump --count ''
refused --interval SECONDS dump --interval
refused --count ' N$' dump --count
refused --vm 'leave it out' dump --vm ''
refused weight '"wait"' dump --sort weight
refused size 'help' dump --sort size
refused nonsense 'help' dump --mode nonsense
refused pool '"poll"' dump --mode pool
refused --mode MODE dump --mode
refused --mode 'run --help' run --mode poll
refused no-such-option 'dump --help' dump --no-such-option
refused no-such-command 'vmadjust-bpf --help' no-such-command
refused -z 'help' dump -z
refused surplus help dump surplus
refused --json 'value|help' dump --json=yes
refused --interval 'doctor --help' doctor --interval 1
refused surplus help doctor surplus
refused --interval 'behind a command|help' --interval 1
refused relative 'absolute' dump --pin-dir relative
refused --pin-dir . dump --pin-dir ''
refused no-such-command help help no-such-command
refused 'command is missing' help

# A near miss is named.
refused dmup '"dump"' dmup
refused --intervall '"--interval"' dump --intervall 1

# Words that are no options are not echoed raw to the terminal.
refused 'a\x1b' help "$(printf 'a\033[31mb\nc')"

# Help needs no rights, and goes to standard output.
for command in '' dump doctor policy bench help version; do
	# shellcheck disable=SC2086 # none is no word
	run 0 "$bin" $command --help
	grep -q '^Usage: vmadjust-bpf' "$work/out" || fail "no usage: $command --help"
	[ ! -s "$work/err" ] || fail "messages: $command --help"
	# shellcheck disable=SC2086
	run 0 "$bin" help $command
	[ -s "$work/out" ] || fail "nothing: help $command"
done
for how in version --version; do
	run 0 "$bin" "$how"
	grep -q '^vmadjust-bpf [0-9]*\.[0-9]*\.[0-9]*$' "$work/out" || fail "$how"
done
