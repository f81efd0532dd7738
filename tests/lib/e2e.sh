# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# e2e.sh - what the scripts of tests/e2e share; each sources it first
#
# O  the output folder (build)
#
# Whatever a script starts by start, start_vm or into $work ends with it.
set -eu

# shellcheck disable=SC2034 # for the scripts
O=${O:-build}
bin=$(cd "$O" && pwd)/vmadjust-bpf
kvmvm=$(cd "$O" && pwd)/tools/lab/kvmvm
work=$(mktemp -d /tmp/vmadj-e2e.XXXXXX)
chmod 755 "$work"
started=''
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

finish() {
	for pid in $started; do
		kill -9 "$pid" 2>/dev/null || true
	done
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
	echo "$*" >&2
	for file in "$work/out" "$work/err"; do
		[ ! -s "$file" ] || sed "s|^|${file##*/}: |" "$file" | head -n 40 >&2
	done
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

need_root() {
	[ "$(id -u)" = 0 ] || skip "needs root"
}

need() {
	for program in "$@"; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

# Observing must be possible here before it can be seen to fail for another reason.
need_observer() {
	need_root
	timeout 60 "$bin" doctor >"$work/out" 2>"$work/err" || {
		[ $? = 3 ] || fail "doctor fails"
		skip "cannot observe here: $(grep -m 1 -i 'fatal' "$work/out" || tail -n 1 "$work/out")"
	}
}

# run CODE COMMAND... - output in $work/out and $work/err, fails on another exit status
run() {
	want=$1
	shift
	got=0
	timeout -k 5 60 "$@" >"$work/out" 2>"$work/err" || got=$?
	[ "$got" = "$want" ] || fail "exit status $got, not $want: $*"
}

# said WORDS - a line of the messages has them
said() {
	grep -q -- "$1" "$work/err" || fail "no message with \"$1\""
}

# start COMMAND... - in the background; its process id in $started_pid
start() {
	"$@" >"$work/bg.out" 2>"$work/bg.err" &
	started_pid=$!
	started="$started $started_pid"
}

# start_vm NAME [OPTION...] - a KVM guest; its process id in $vm_pid
start_vm() {
	[ -w /dev/kvm ] || skip "/dev/kvm cannot be used"
	vm_name=$1
	shift
	mkfifo "$work/in.$vm_name"
	"$kvmvm" --name "$vm_name" "$@" <"$work/in.$vm_name" >"$work/vm.$vm_name" 2>&1 &
	vm_pid=$!
	started="$started $vm_pid"
	# held open, since its end would be the guest's
	exec 9>"$work/in.$vm_name"
	wait_until 10 grep -q ready "$work/vm.$vm_name" || fail "the guest does not start"
}

# wait_until SECONDS COMMAND... - until the command succeeds
wait_until() {
	tries=$(($1 * 20))
	shift
	while [ "$tries" -gt 0 ]; do
		! "$@" 2>/dev/null || return 0
		sleep 0.05
		tries=$((tries - 1))
	done
	return 1
}

# Programs of ours that no process holds: attached by something that is gone.
orphans() {
	bpftool prog list 2>/dev/null |
		sed -n 's/^\([0-9]*\): .* name \(life\|sched\|pagecache\)_[a-z_]* .*/\1/p' |
		sort -u >"$work/loaded"
	cat /proc/[0-9]*/fdinfo/* 2>/dev/null | sed -n 's/^prog_id:[[:space:]]*//p' |
		sort -u >"$work/held"
	comm -23 "$work/loaded" "$work/held"
}

no_orphans() {
	[ -z "$(orphans)" ]
}

# The kernel lets go of programs a moment after the process.
check_no_orphans() {
	wait_until 10 no_orphans || fail "still attached after $1: programs $(orphans | tr '\n' ' ')"
}

pins_of() {
	ls -d "/sys/fs/bpf/vmadjust-bpf/$1-"* 2>/dev/null
}
