# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# lib.sh - what the scripts of tests/e2e share; each sources it first. No test itself.
#
# O  the output folder (build)
#
# Whatever a script starts by start, start_vm or start_tool, and all in $work, ends with it.
set -eu

O=${O:-build}
bin=$(cd "$O" && pwd)/vmadjust-bpf
kvmvm=$(cd "$O" && pwd)/tools/lab/kvmvm
work=$(mktemp -d /tmp/vmadj-e2e.XXXXXX)
chmod 755 "$work"
started='' # process ids that nobody has waited for yet
own_pins='' # folders on the BPF file system that this script has chosen
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

# shellcheck disable=SC2317 # the trap calls it
finish() {
	for pid in $started; do
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	for dir in $own_pins; do
		find "$dir" -depth -delete 2>/dev/null || true
	done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
	[ ! -s "$work/log" ] || sed "s|^|log: |" "$work/log" | tail -n 40 >&2
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
	timeout --foreground 60 "$bin" doctor >"$work/out" 2>"$work/err" || {
		[ $? = 3 ] || fail "doctor fails"
		skip "cannot observe here: $(grep -m 1 -i 'fatal' "$work/out" || tail -n 1 "$work/out")"
	}
}

need_pins() {
	[ "$(stat -f -c %T /sys/fs/bpf 2>/dev/null)" = bpf_fs ] || skip "no BPF file system is mounted"
}

# run CODE COMMAND... - output in $work/out and $work/err, fails on another exit status
run() {
	want=$1
	shift
	got=0
	# in the foreground: in the group that run.sh ends if this takes too long
	timeout --foreground -k 5 60 "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
	[ "$got" = "$want" ] || fail "exit status $got, not $want: $*"
}

# said WORDS - a line of the messages has them
said() {
	grep -q -- "$1" "$work/err" || fail "no message with \"$1\""
}

# start COMMAND... - in the background; its process id in $started_pid. A shell without job
# control has its background ignore SIGINT, which programs inherit: not these.
start() {
	: >"$work/bg.out" # now, so that nobody takes what the last one wrote for this one's
	setpriv --pdeathsig KILL env --default-signal=INT,QUIT "$@" \
		>"$work/bg.out" 2>"$work/bg.err" </dev/null &
	started_pid=$!
	started="$started $started_pid"
}

# ended PID - waits for it; its exit status in $status
ended() {
	status=0
	# shellcheck disable=SC2034 # for the scripts
	wait "$1" 2>/dev/null || status=$?
	started=$(echo "$started " | sed "s/ $1 / /")
}

# gone PID - it runs no more, though nobody may have waited for it yet
gone() {
	case $(cut -d ')' -f 2 "/proc/$1/stat" 2>/dev/null) in
	'' | ' Z'* | ' X'*) return 0 ;;
	esac
	return 1
}

# ids_of PID - of the BPF programs and links that it holds, as "prog N" and "link N"
ids_of() {
	cat "/proc/$1/fdinfo/"* 2>/dev/null |
		sed -n 's/^\(prog\|link\)_id:[[:space:]]*\([0-9]*\)$/\1 \2/p'
}

# The kernel gives no id twice: these exist no more, whoever else is at work here.
no_ids_left() {
	for kind in prog link; do
		bpftool "$kind" list | sed -n "s/^\([0-9]*\): .*/$kind \1/p"
	done | sort >"$work/ids.now"
	[ -z "$(sort "$1" | comm -12 - "$work/ids.now")" ]
}

# start_vm NAME [OPTION...] - a KVM guest; its process id in $vm_pid
start_vm() {
	[ -w /dev/kvm ] || skip "/dev/kvm cannot be used"
	vm_name=$1
	shift
	# open at both ends for ever: the end of its stdin would be the guest's
	[ -p "$work/never" ] || mkfifo "$work/never"
	${vm_wrap-} setpriv --pdeathsig KILL "$kvmvm" --name "$vm_name" "$@" \
		<>"$work/never" >"$work/vm.$vm_name" 2>&1 &
	vm_pid=$!
	started="$started $vm_pid"
	wait_until 10 grep -q ready "$work/vm.$vm_name" || fail "the guest does not start"
}

# vcpu_tid NAME INDEX - as the guest says it
vcpu_tid() {
	sed -n "s/^vcpu $2 tid //p" "$work/vm.$1"
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

# json FILE CODE [ARG...] - each line of the file must be a whole JSON document; they are @d in
# the Perl CODE, which dies with the reason when something is wrong. need_json comes first.
json() {
	perl -MJSON::PP -e '
		use strict; use warnings;
		our ($file, $code) = splice @ARGV, 0, 2;
		open my $f, "<:raw", $file or die "$file: $!\n";
		our @d;
		while (my $line = <$f>) {
			$line =~ /\n\z/ or die "line $. is torn\n";
			push @d, eval { decode_json($line) } // die "line $. is no JSON document: $@";
		}
		@d or die "there is no document\n";
		# vm(DOCUMENT, NAME): all entries of that VM
		sub vm { my ($doc, $name) = @_; grep { $_->{name} eq $name } @{$doc->{vms}} }
		eval "no strict q(vars); $code; 1" or die $@;
	' "$@" || fail "$1: not as it should be"
}

need_json() {
	perl -MJSON::PP -e 1 2>/dev/null || skip "perl has no JSON::PP"
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

# --- the daemon ---------------------------------------------------------------

# Names of the VMs of this script begin so: the VMs of others are none of our daemon's business.
ours=e2e-$$
conf=$work/conf
run_dir=$work/run
state_dir=$work/state

need_daemon() {
	need_observer
	[ "$(cat /proc/sys/kernel/sched_autogroup_enabled 2>/dev/null)" = 1 ] ||
		skip "autogroups are off: sysctl kernel.sched_autogroup_enabled=1"
}

# The root of the hierarchy with the cpu controller: in other groups there are no autogroups.
root_group() {
	awk '$3 == "cgroup" && $4 ~ /(^|,)cpu(,|$)/ { v1 = $2 }
		$3 == "cgroup2" { v2 = $2 } END { print v1 ? v1 : v2 }' /proc/mounts
}

to_root_group() {
	echo "$1" >"$(root_group)/cgroup.procs" 2>/dev/null ||
		skip "a process cannot be moved to the root of the control groups"
}

# start_own_vm NAME [OPTION...] - $ours-NAME, alone in a session: its CPU knob is its autogroup
start_own_vm() {
	vm_name=$ours-$1
	shift
	vm_wrap=setsid
	start_vm "$vm_name" "$@"
	vm_wrap=
	to_root_group "$vm_pid"
	eval "pid_$(echo "${vm_name#"$ours-"}" | tr -c 'a-z0-9\n' _)=$vm_pid"
}

# nice_of PID - of its autogroup
nice_of() {
	sed -n 's/.* nice //p' "/proc/$1/autogroup"
}

is_nice() {
	[ "$(nice_of "$1")" = "$2" ]
}

# config [LINE...] - the configuration: the daemon's own folders, our VMs only, then the lines
config() {
	{
		printf '%s\n' '[daemon]' "interval = ${interval:-0.1}" "state_dir = $state_dir" \
			"run_dir = $run_dir" "policy_dir = $work/policies" ${daemon_keys:+"$daemon_keys"} \
			'[vm *]' 'manage = no' "[vm $ours-*]" 'manage = yes'
		[ $# = 0 ] || printf '%s\n' "$@"
	} >"$conf.new"
	mv "$conf.new" "$conf"
}

# policy_so NAME [KNOBS] - a policy whose decide() is what stands on standard input
#
# It has now, wishes and my: my->ticks counts its calls, my->a and my->b are its parameters.
policy_so() {
	mkdir -p "$work/policies"
	{
		cat <<'END'
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "policy.h"
struct state { double a, b, ticks; };
#define EACH(vm) \
	(uint32_t i = 0; i < now->n_vms; i++) \
		for (const struct vmadj_policy_vm *vm = vmadj_policy_vm_at(now, i); vm; vm = NULL)
static void decide(void *state, const struct vmadj_policy_snapshot *now,
		   struct vmadj_policy_wishes *wishes)
{
	struct state *my = state;
	(void)now;
	(void)wishes;
	my->ticks++;
END
		cat
		cat <<END
}
static const struct vmadj_policy_param params[] = {
	{ "a", VMADJ_PARAM_REAL, offsetof(struct state, a), 5, -100, 100, "", "" },
	{ "b", VMADJ_PARAM_REAL, offsetof(struct state, b), 0, -100, 100, "", "" },
	{ 0 },
};
const struct vmadj_policy_ops vmadj_policy = {
	VMADJ_POLICY_HEADER,
	.name = "$1", .summary = "a test's", .knobs = ${2:-VMADJ_KNOB_CPU},
	.params = params, .state_size = sizeof(struct state), .decide = decide,
};
END
	} >"$work/$1.c"
	"${CC:-cc}" -O2 -std=gnu11 -Wall -Werror -Ipolicies -shared -fPIC "$work/$1.c" \
		-o "$work/$1.so.new" || fail "policy $1 does not compile"
	mv "$work/$1.so.new" "$work/policies/$1.so"
}

# start_quietly [OPTION...] - a daemon with $conf; $daemon_pid; its messages in $work/log
start_quietly() {
	setpriv --pdeathsig KILL env --default-signal=INT,QUIT,HUP \
		"$bin" run --config "$conf" "$@" >"$work/daemon.out" 2>"$work/log" </dev/null &
	daemon_pid=$!
	started="$started $daemon_pid"
}

# start_daemon [OPTION...] - the same, and waits until it answers
start_daemon() {
	start_quietly "$@"
	wait_until 20 answers || fail "the daemon does not answer"
	wait_ticks 1 # it knows no VM before
}

answers() {
	"$bin" ctl status --json --socket "$run_dir/control.sock" >"$work/answer" 2>&1
}

# ctl CODE WORD... - ask the daemon; the answer in $work/out, messages in $work/err
ctl() {
	want_code=$1
	shift
	run "$want_code" "$bin" ctl --socket "$run_dir/control.sock" "$@"
}

# shellcheck disable=SC2120 # most do not say which signal
# stop_daemon [SIGNAL] - its exit status in $status
stop_daemon() {
	kill -s "${1:-TERM}" "$daemon_pid"
	wait_until 15 gone "$daemon_pid" || fail "the daemon does not end"
	ended "$daemon_pid"
	! grep -q 'Sanitizer: \|runtime error: ' "$work/log" || fail "a sanitizer complains"
}

# logged WORDS - in the daemon's messages, within a few seconds
logged() {
	wait_until 10 grep -q -- "$1" "$work/log" || fail "no message with \"$1\""
}

# said_times WORDS - how many of the daemon's messages have them
said_times() {
	grep -c -- "$1" "$work/log" || true
}

# ticks - of the daemon so far
ticks() {
	ctl 0 status --json
	grep -o '"ticks":[0-9]*' "$work/out" | sed 's/.*://;q' # behind it those of policies
}

ticked() {
	[ "$(ticks)" -ge "$1" ]
}

# wait_ticks N - until the daemon has looked N times more
wait_ticks() {
	wait_until 20 ticked "$(($(ticks) + $1))" || fail "the daemon does not tick"
}

# runners - the process ids of this program's policy runners, those of a dead daemon, too
runners() {
	# shellcheck disable=SC2013 # words, indeed
	for file in $(grep -lz '^policy-runner$' /proc/[0-9]*/cmdline 2>/dev/null); do
		pid=${file#/proc/}
		pid=${pid%/cmdline}
		[ "$(readlink "/proc/$pid/exe")" != "$bin" ] || echo "$pid"
	done
}

no_runners() {
	[ -z "$(runners)" ]
}
