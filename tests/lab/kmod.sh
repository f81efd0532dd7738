#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kmod.sh MODULE - what tests/e2e/92-kmod.sh asks of vmadj_kmod.ko, inside of a lab kernel
#
# One CPU, real KVM guests (kvmvm), nothing else. Each line "not ok: ..." is a failure; the exit
# status is 1 then. What the kernel counts itself, in schedstat and status, is the truth.
# shellcheck disable=SC2317 # wait_until calls what seems to be out of reach

module=$1
list=/proc/vmadj_kmod
pids='' failed=0 nice=0

bad() {
	echo "not ok: $*"
	failed=1
}

# wait_until SECONDS COMMAND...
wait_until() {
	tries=$(($1 * 10))
	shift
	while [ $tries -gt 0 ]; do
		! "$@" 2>/dev/null || return 0
		sleep 0.1
		tries=$((tries - 1))
	done
	return 1
}

# start NAME OPTION... - a guest, its process id in $pid
start() {
	name=$1
	shift
	mkfifo "/tmp/$name.in"
	# shellcheck disable=SC2016 # for the other shell
	sh -c 'renice -n "$0" -p $$; exec kvmvm "$@"' "$nice" --name "$name" "$@" <>"/tmp/$name.in" >"/tmp/$name.out" 2>&1 &
	pid=$!
	pids="$pids $pid"
	eval "pid_$name=$pid"
	wait_until 60 grep -q '^ready' "/tmp/$name.out" || bad "$name does not start"
}

tell() {
	echo "$2" >"/tmp/$1.in"
	wait_until 60 grep -q '^ok\|^error' "/tmp/$1.out" || bad "$1 does not answer"
}

end() {
	kill -KILL "$1"
	wait "$1" 2>/dev/null
	pids=$(echo "$pids " | sed "s/ $1 / /")
}

# load OPTION... - the module
load() {
	insmod "$module" "$@" || bad "insmod $* fails"
}

unload() {
	rmmod vmadj_kmod || bad "rmmod fails"
	[ ! -e $list ] || bad "$list is left"
	[ ! -s /sys/kernel/debug/kprobes/list ] || bad "kprobes are left: $(cat /sys/kernel/debug/kprobes/list)"
	! grep -qs '^vmadj_kmod$' /proc/[0-9]*/comm || bad "a kernel thread is left"
}

# of PID KEY - a value of its line
of() {
	awk -v pid="$1" -v key="$2" '$1 == "vm" && $4 == pid {
		for (i = 1; i < NF; i += 2) if ($i == key) print $(i + 1) }' $list
}

is_listed() {
	[ -n "$(of "$1" vm)" ]
}

is_unlisted() {
	! is_listed "$1"
}

has_vcpus() {
	[ "$(of "$1" vcpus)" = "$2" ]
}

# "vcpu INDEX tid TID" is what kvmvm says, "vcpu SERIAL id INDEX tid TID ..." the module
check_vcpus() {
	eval "set -- \"\$pid_$1\" $1"
	sed -n 's/^vcpu \([0-9]*\) tid \([0-9]*\)$/\1 \2/p' "/tmp/$2.out" >/tmp/want
	wait_until 10 has_vcpus "$1" "$(wc -l </tmp/want | tr -d ' ')" ||
		bad "$2 has $(of "$1" vcpus) vCPUs"
	awk -v vm="$(of "$1" vm)" '$1 == "vcpu" && $2 == vm { print $4, $6 }' $list | sort -n >/tmp/got
	cmp -s /tmp/want /tmp/got || bad "vCPUs of $2: $(tr '\n' ',' </tmp/got)"
}

counts_of() {
	cat /proc/"$1"/task/*/schedstat 2>/dev/null
	grep -h State /proc/"$1"/task/*/status 2>/dev/null
}

is_still() {
	counts_of "$1" >/tmp/before
	sleep 0.2
	counts_of "$1" >/tmp/after
	! grep -q 'State:	R' /tmp/after && cmp -s /tmp/before /tmp/after
}

# all guests, so that no counter moves
stop_all() {
	# shellcheck disable=SC2086 # a list
	kill -STOP $pids
	for pid in $pids; do
		wait_until 30 is_still "$pid" || bad "$pid does not stop"
	done
	sleep 0.3
}

continue_all() {
	# shellcheck disable=SC2086 # a list
	kill -CONT $pids
}

# "run_ns wait_ns switches preemptions" of a thread, as the kernel says it
truth() {
	echo "$(cut -d ' ' -f 1,2 "/proc/$1/schedstat")" \
		"$(awk '/^voluntary/ { n = $2 } /^nonvol/ { print n + $2, $2 }' "/proc/$1/status")"
}

# To the last nanosecond: they stand still, and the module reads what the kernel counts.
check_counts() {
	awk '$1 == "vcpu" { print $6, $8, $10, $12, $14 }' $list >/tmp/vcpus
	[ "$(wc -l </tmp/vcpus)" -ge "$1" ] || bad "$2: $(wc -l </tmp/vcpus) vCPUs are listed"
	while read -r tid ours; do
		[ "$ours" = "$(truth "$tid")" ] ||
			bad "$2: vCPU $tid: $ours, the kernel says $(truth "$tid")"
	done </tmp/vcpus
	for pid in $pids; do
		sum=$(cat "/proc/$pid"/task/*/schedstat | awk '{ run += $1 } END { printf "%.0f", run }')
		all=$(($(of "$pid" run_ns) + $(of "$pid" emulator_run_ns)))
		[ "$all" = "$sum" ] || bad "$2: $pid ran $all, the kernel says $sum"
	done
}

# What the VM "new" has waited since /tmp/first.list: each moment is laid to somebody, many to the
# other VMs, and its vCPUs' waits are in the histogram.
check_waits() {
	# shellcheck disable=SC2154 # start sets it
	awk -v vm="$(of "$pid_new" vm)" '
		FNR == 1 { sign += sign ? 2 : -1 }
		$2 != vm { next }
		$1 == "vm" {
			for (i = 1; i < NF; i += 2) {
				if ($i ~ /wait_ns$/) waited += sign * $(i + 1)
				if ($i == "wait_ns") vcpus += sign * $(i + 1)
			}
		}
		$1 == "blame" {
			for (i = 3; i <= NF; i++) {
				split($i, pair, "=")
				sum += sign * pair[2]
				if (pair[1] ~ /^vm:/) vms += sign * pair[2]
			}
		}
		$1 == "waits" {
			for (i = 3; i <= NF; i++) {
				split($i, pair, ":")
				n += sign * pair[2]
				least_ns += sign * pair[1] * pair[2] * 1000
			}
		}
		END {
			printf "# waited %.0f ns, laid to VMs %.0f of %.0f, %d waits of at least %.0f\n",
				waited, vms, sum, n, least_ns
			if (!waited || sum != waited || vms < sum * 0.2 ||
			    n < 10 || least_ns < vcpus * 0.7 || least_ns > vcpus)
				print "not ok: waits are not explained so"
		}' /tmp/first.list $list >/tmp/waits
	cat /tmp/waits
	! grep -q 'not ok' /tmp/waits || failed=1
}

nice_of() {
	sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 17
}

is_nice() {
	[ "$(nice_of "$1")" = "$2" ]
}

refuses() {
	! insmod "$module" "$1" 2>/dev/null || bad "it accepts $1"
	dmesg | tail -n 2 | grep -q "vmadj_kmod: $2" || bad "no message about $1"
}

# --- what it refuses, and what it does without VMs

refuses mode=both 'mode=both'
refuses interval_ms=1 'interval_ms=1'
load policy=1 interval_ms=20
sleep 0.2
unload

# --- the policy; the load over 15 minutes is near 0, if this host has booted fast enough

wanted_nice() {
	awk '{ print ($3 < 0.1 ? -15 : ($3 > 0.91 ? 15 : 0)) }' /proc/loadavg
}

start first --load idle --vcpus 2
start second --load idle
first=$(sed -n 's/^vcpu 0 tid //p' /tmp/first.out)
other=$(sed -n 's/^vcpu 1 tid //p' /tmp/first.out)
load mode=poll policy=1 interval_ms=20
is_listed $pid || bad "a VM that was there before is not found"
wait_until 10 is_nice "$first" "$(wanted_nice)" ||
	bad "nice is $(nice_of "$first"), the load $(cat /proc/loadavg)"
tell first hotplug # from a thread that has the new nice
sleep 0.5
is_nice "$pid" 0 || bad "the second VM's nice is $(nice_of $pid), too"
unload
is_nice "$first" 0 || bad "nice $(nice_of "$first") is left"
is_nice "$other" 0 || bad "nice $(nice_of "$other") is left in the second vCPU"
# shellcheck disable=SC2154 # start sets it
sed 's/.*) //' "/proc/$pid_first"/task/*/stat |
	awk '$17 != 0 { bad = 1 } END { exit bad }' || bad "nice is left in a thread born meanwhile"
load mode=poll policy=1 interval_ms=20
wait_until 10 is_nice "$first" "$(wanted_nice)"
renice -n 5 -p "$other" >/dev/null
theirs=$(nice_of "$other")
unload
is_nice "$other" "$theirs" || bad "a nice of somebody else's, $theirs, became $(nice_of "$other")"
renice -n 0 -p "$other" >/dev/null
for pid in $pids; do
	end "$pid"
done
rm -f /tmp/*.in /tmp/*.out

# --- figures, in both modes; this script is to have the CPU before the guests

nice=15
start old --load busy
old=$pid
sleep 0.5
for mode in trace poll; do
	load mode=$mode interval_ms=50
	is_listed "$old" || bad "$mode: a VM that was there before is not found"
	start new --load busy --vcpus 2
	new=$pid
	start mix --load mix --emulator-busy
	mix=$pid
	start short --load short:3
	start user --load spin-user
	for name in old new mix short user; do
		check_vcpus $name
	done
	cp $list /tmp/first.list
	sleep 5
	stop_all
	check_counts 6 $mode
	[ $mode = poll ] || check_waits
	continue_all
	# a thread that is born and dies; the VM's end while its process lives on; a killed process
	ran=$(of "$mix" emulator_run_ns)
	tell mix "io-worker pread /bin/busybox 1"
	sleep 0.3
	[ "$(of "$mix" emulator_run_ns)" -ge "$ran" ] || bad "$mode: what a dead thread ran is lost"
	tell mix destroy
	wait_until 10 is_unlisted "$mix" || bad "$mode: a VM is listed after its end"
	kill -0 "$mix" || bad "$mode: its process is gone, too"
	end "$new"
	wait_until 10 is_unlisted "$new" || bad "$mode: a VM whose process was killed is listed"
	is_listed "$old" || bad "$mode: the other VM has gone"
	unload
	kill -0 "$old" || bad "$mode: a VM did not survive that the module goes"
	for pid in $pids; do
		[ "$pid" = "$old" ] || end "$pid"
	done
	rm -f /tmp/new.* /tmp/mix.* /tmp/short.* /tmp/user.*
done

# --- in and out while VMs come, run and go

for i in 1 2 3 4 5 6; do
	kvmvm --name churn --load short:2 --lifetime 300 </dev/null >/dev/null 2>&1 &
	churn=$!
	if [ $((i % 2)) = 0 ]; then
		load mode=trace policy=1 interval_ms=10
	else
		load mode=poll interval_ms=10
	fi
	wait $churn
	cat $list >/dev/null
	grep -q '^vm ' $list || bad "no VM is listed"
	unload
done
end "$old"

if dmesg | grep 'BUG:\|WARNING:\|Oops\|RIP:\|protection fault\|scheduling while\|INFO:'; then
	bad "the kernel complains"
fi
[ $failed = 0 ] && echo "ok"
exit $failed
