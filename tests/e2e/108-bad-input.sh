#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Bad configurations, bad questions, other users: a sentence that says what is wrong and what is
# allowed, and an exit status that is not 0?
# shellcheck disable=SC2154,SC2016,SC2015,SC2119 # start_own_vm sets pid_*; Perl, not shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_daemon
need_json
start_own_vm a
start_own_vm same
start_own_vm same

# --- configurations -------------------------------------------------------

# faulty MESSAGE - $conf is refused by run and by run --check: FILE:LINE, the same words, status 2
faulty() {
	for how in '' --check; do
		# shellcheck disable=SC2086 # no word where there is none
		run 2 "$bin" run --config "$conf" $how
		grep -q -- "$1" "$work/err" || fail "run $how: no message \"$1\""
		[ "$(wc -l <"$work/err")" -le 21 ] || fail "run $how: too many messages"
		[ ! -s "$work/out" ] || fail "run $how: something on standard output"
	done
	[ ! -e "$run_dir" ] || fail "something was made"
}

# fault LINE MESSAGE TEXT... - the configuration is TEXT
fault() {
	line=$1
	shift
	message=$1
	shift
	printf '%s\n' "$@" >"$conf"
	faulty "$conf:$line: .*$message"
}

fault 1 'section' '[deamon]' 'interval = 1s'
fault 2 'intervall' '[daemon]' 'intervall = 1s'
fault 2 '0\.1s to 60s' '[daemon]' 'interval = 61s'
fault 2 'interval' '[daemon]' 'interval = soon'
fault 2 'yes or no' '[vm *]' 'manage = perhaps'
fault 2 '-20 to 19' '[vm *]' 'nice_min = -21'
fault 3 'nice_m' '[vm *]' 'nice_min = 5' 'nice_max = 4'
fault 3 'memory_m' '[vm *]' 'memory_min = 2G' 'memory_max = 1G'
fault 1 'section' 'interval = 1s'
fault 2 '' '[daemon]' 'what is this'
head -c 10000000 /dev/zero | tr '\0' '#' >"$conf"
faulty "$conf.*1 MiB\|$conf.*1048576"
head -c 4096 "$bin" >"$conf"
faulty "$conf:"
mkdir -p "$work/a-folder"
run 2 "$bin" run --config "$work/a-folder"
said "$work/a-folder"
run 2 "$bin" run --config "$work/not-there"
said "$work/not-there: there is no such file"
config '[policy missing]'
run 2 "$bin" run --config "$conf" --check
said "$conf:10: policy missing"

# --- no daemon ------------------------------------------------------------

ctl 1 status
said 'no daemon runs here'
for words in 'why x' 'set x nice 1' 'release x' 'policy load x' pause reload; do
	# shellcheck disable=SC2086 # words
	ctl 1 $words
	said 'no daemon runs here'
done
for words in '' nonsense why 'why a b' set 'set a' 'set a nice' 'policy' 'policy nonsense' 'status x' \
	'release' 'set a nice 1 2'; do
	# shellcheck disable=SC2086 # words
	ctl 2 $words
	[ "$(wc -l <"$work/err")" = 1 ] || fail "ctl $words: not one message"
done

# --- questions ------------------------------------------------------------

group=nogroup
daemon_keys="control_group = $group" config
start_daemon

# refused MESSAGE WORD... - by ctl
refused() {
	message=$1
	shift
	ctl 1 "$@"
	said "$message"
	[ "$(wc -l <"$work/err")" = 1 ] || fail "not one message: ctl $*"
	[ ! -s "$work/out" ] || fail "something on standard output: ctl $*"
}

refused 'there is no VM no-such-vm; vmadjust-bpf dump shows which there are' why no-such-vm
refused '2 VMs are named .*: give the id' why "$ours-same"
refused '2 VMs are named' set "$ours-same" nice 1
refused '2 VMs are named' release "$ours-same"
refused 'no policy nonsense is loaded' policy unload nonsense
refused 'policy nonsense is not loaded' policy load nonsense
refused 'policy nonsense is not loaded' policy load "$work/nonsense.so"
for value in -21 20 1.5 x '' 99999999999999999999 nan; do
	refused 'a nice value is -20..19' set "$ours-a" nice "$value"
done
for value in 1K x 0 ''; do
	refused 'memory is a size from 1M on' set "$ours-a" memory "$value"
done
refused 'what can be set is nice and memory' set "$ours-a" weather 1
escape=$(printf 'a\033[31mb')
ctl 1 why "$escape"
! grep -q "$(printf '\033')" "$work/err" || fail "an escape sequence goes to the terminal"
is_nice "$pid_a" 0 || fail "something was changed"

# --- other users ----------------------------------------------------------

# by GID CODE WORD... - ctl, as a user without rights
by() {
	gid=$1
	want_code=$2
	shift 2
	run "$want_code" setpriv --reuid=12345 "--regid=$gid" --clear-groups --inh-caps=-all \
		"$bin" ctl --socket "$run_dir/control.sock" "$@"
}
by 12345 1 status
said 'this user may not ask the daemon: be root, or a member of the group'
member=$(getent group "$group" | cut -d : -f 3)
by "$member" 0 status
by "$member" 0 why "$ours-a"
by "$member" 0 policy list
for words in "set $ours-a nice 3" "release $ours-a" pause resume reload 'policy load x' 'policy unload x'; do
	# shellcheck disable=SC2086 # words
	by "$member" 1 $words
	said 'changes something: be root'
done
is_nice "$pid_a" 0 || fail "a member of the group has changed something"

# --- a second daemon ------------------------------------------------------

cp "$conf" "$work/second"
run 1 "$bin" run --config "$work/second"
said 'another vmadjust-bpf holds the ledger in .*: stop that first'
sed -i "s|^state_dir = .*|state_dir = $work/elsewhere|" "$work/second"
run 1 "$bin" run --config "$work/second"
said 'another vmadjust-bpf listens in .*: stop that first'
run 1 "$bin" restore --config "$conf"
said 'the daemon runs, and puts everything back itself'
ctl 0 status
stop_daemon
