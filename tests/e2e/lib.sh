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
	setpriv --pdeathsig KILL "$kvmvm" --name "$vm_name" "$@" \
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
