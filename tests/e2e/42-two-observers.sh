#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Two observers at once: does each say that there is another one, keep pins of its own, and see
# the same of the same VM?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_observer
need_pins
need_json
pin_dir=/sys/fs/bpf/vmadj-e2e-$$
own_pins=$pin_dir
start_vm "e2e-shared" --load short:5

# The totals of both, each from its second sample on, against the time that lies between.
both_see_the_same() {
	start "$bin" dump --json --interval 0.5 --count 7 --pin-dir "$pin_dir"
	first=$started_pid
	wait_until 10 test -d "$pin_dir" || fail "nothing is pinned"
	run 0 "$bin" dump --json --interval 0.5 --count 5 --pin-dir "$pin_dir"
	said "another observer is running, process $first"
	ended "$first"
	[ "$status" = 0 ] || fail "the first one ends with $status"
	json "$work/out" '1'
	# shellcheck disable=SC2016 # Perl's
	json "$work/bg.out" '
		open my $f, "<", $ARGV[0] or die; my @e = map { decode_json($_) } <$f>;
		sub use_pct {
			my ($from, $to) = @_;
			my ($a, $b) = map { (vm($_, "e2e-shared"))[0] // die "the VM is not seen\n" } $from, $to;
			return ($b->{cpu}{run_ns} - $a->{cpu}{run_ns}) / 1e7 /
				($to->{time_unix_s} - $from->{time_unix_s});
		}
		# the samples of this one that are nearest in time to the first and last of the other
		sub nearest {
			my $t = $_[0]{time_unix_s};
			return (sort { abs($a->{time_unix_s} - $t) <=> abs($b->{time_unix_s} - $t) } @d)[0];
		}
		my $one = use_pct(nearest($e[0]), nearest($e[-1]));
		my $two = use_pct($e[0], $e[-1]);
		printf "%.2f %.2f\n", $one, $two;
	' "$work/out" >"$work/use"
	awk '{ d = $1 - $2; exit !($1 > 1 && $2 > 1 && d < 3 && d > -3) }' "$work/use"
}

# The two do not sample at the same moment, and a busy host may do something in between.
for try in 1 2 3; do
	! both_see_the_same || break
	[ $try != 3 ] || fail "use in the eyes of the two: $(cat "$work/use")"
done
[ ! -e "$pin_dir" ] || fail "pins stay"

# Each has its own pins; the end of one leaves those of the other alone.
pinned() {
	[ -e "$(echo "$pin_dir/$1-"*/sched_thread)" ]
}
start "$bin" dump --json --interval 0.2 --pin-dir "$pin_dir"
one=$started_pid
wait_until 10 pinned "$one" || fail "the first one has no pins"
start "$bin" dump --json --interval 0.2 --pin-dir "$pin_dir"
two=$started_pid
wait_until 10 pinned "$two" || fail "the second one has no pins"
pinned "$one" || fail "the start of the second one removed the pins of the first one"
kill -TERM "$two"
ended "$two"
[ "$status" = 0 ] || fail "the second one ends with $status"
pinned "$one" || fail "the pins of the first one are gone"
[ ! -e "$(echo "$pin_dir/$two-"*)" ] || fail "the pins of the second one stay"
kill -TERM "$one"
ended "$one"
[ "$status" = 0 ] || fail "the first one ends with $status"
[ ! -e "$pin_dir" ] || fail "the folder of pins stays"
check_no_orphans "two observers"
