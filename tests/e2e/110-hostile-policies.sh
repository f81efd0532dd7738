#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Policies that crash, loop, eat memory, lie or ask for the forbidden, loaded by hand into the daemon:
# are they contained, said in the log and in ctl status, while an honest policy goes on?
# timeout: 300 s
# shellcheck disable=SC2154,SC2016,SC2015,SC2119 # start_own_vm sets pid_*; Perl, not shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_daemon
need_json
start_own_vm a
policy_so honest <<'END'
	for EACH(vm)
		vmadj_wish_nice(wishes, vm, vm->nice == 5 ? 6 : 5, "honest");
END
# It wishes for memory, so that both may be loaded.
policy_so hostile VMADJ_KNOB_MEMORY <<'END'
	switch ((int)my->a) {
	case 0:
		*(volatile int *)0 = 0;
		break;
	case 1:
		for (;;)
			__asm__ volatile("");
	case 2:
		for (;;) {
			char *more = malloc(1 << 20);

			memset(more, 1, 1 << 20);
		}
	case 3:
		wishes->n = 1000000;
		break;
	case 4:
		_exit(3);
	case 5:
		(void)socket(1, 1, 0);
		break;
	case 6:
		(void)open("/etc/shadow", 0);
		break;
	case 7:
		(void)fork();
		break;
	case 8:
		(void)kill(1, 0);
		break;
	case 9:
		memset((void *)now, 0, 64);
		break;
	case 10:
		memset(wishes, 0xff, 65536);
		break;
	case 11:
		for EACH(vm)
			vmadj_wish_nice(wishes, vm, 19, "a knob that is not declared");
		break;
	case 12:
		for EACH(vm)
			vmadj_wish_memory(wishes, vm, 0.0 / 0.0, "not a number");
		break;
	case 13:
		for EACH(vm)
			vmadj_wish_memory(wishes, vm, 1, "a\033[31m \n vm=x nice 0->1 policy=honest");
		break;
	}
END

config '[policy honest]' 'armed = yes'
start_daemon
own_knob() {
	is_nice "$pid_a" 5 || is_nice "$pid_a" 6
}
wait_until 10 own_knob || fail "the honest policy has no effect"

# hostile WHAT MESSAGE - load makes it look at once; then it fails, or is refused
hostile() {
	lines=$(wc -l <"$work/log")
	ctl 0 policy load hostile --set armed=yes --set a="$1" --set deadline=0.1s
	wait_until 10 new_line "$2" || fail "hostile $1: no message \"$2\""
	wait_ticks 3
	own_knob || fail "hostile $1: nice is $(nice_of "$pid_a")"
	ctl 0 status --json
	json "$work/out" 'my ($s) = @d; my ($p) = grep { $_->{name} eq "honest" } @{$s->{policies}};
		my ($h) = grep { $_->{name} eq "hostile" } @{$s->{policies}};
		$p->{state} eq "running" && !$p->{refused} or die "the honest policy: $p->{state}\n";
		$h->{why} || $h->{refusal} || $ARGV[0] == 13 or die "status does not say why\n";
		grep { $_->{by} eq "hostile" } @{$s->{changed}} and die "it has changed something\n"' "$1"
}
new_line() {
	tail -n +"$lines" "$work/log" | grep -q -- "$1"
}

hostile 0 'policy hostile: crashed: SIGSEGV'
hostile 1 'policy hostile: did not answer within 0.1 s'
# Under a sanitizer its memory has no limit.
hostile 2 'policy hostile: \(ran out of memory\|did not answer\)'
hostile 3 'policy hostile: its wishes are refused: '
hostile 4 'policy hostile: ended by itself with exit status 3'
hostile 5 'policy hostile: made the system call socket'
hostile 6 'policy hostile: made the system call open'
hostile 7 'policy hostile: made the system call '
hostile 8 'policy hostile: made the system call '
hostile 9 'policy hostile: crashed: SIGSEGV'
hostile 10 'policy hostile: '
hostile 11 'policy hostile: its wishes are refused: '
hostile 12 'policy hostile: its wishes are refused: '
hostile 13 'policy hostile is loaded'
! grep -q "$(printf '\033')" "$work/log" || fail "an escape sequence is in the log"
! grep -q '^ *vm=x' "$work/log" || fail "a line of the log is forged"
before=$(said_times 'policy=honest')
more_honest() {
	[ "$(said_times 'policy=honest')" -gt "$before" ]
}
wait_until 10 more_honest || fail "the honest policy does not go on"
stop_daemon
is_nice "$pid_a" 0 || fail "it is not put back"
no_runners || fail "a runner is left"
