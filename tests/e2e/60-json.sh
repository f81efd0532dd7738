#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Is each line of dump --json what docs/output.md promises: whole, with all keys, totals that never
# decrease, each VM that ends once more with "ended", --vm and --sort obeyed?
# shellcheck source=tests/e2e/lib.sh
# shellcheck disable=SC2016 # the code between quotes is Perl's
. "$(dirname "$0")/lib.sh"

need_observer
need_json
start_vm "e2e-busy" --load busy --emulator-busy
start_vm "e2e-idle" --load tick:20
ender=e2e-ender
start_vm "$ender" --load busy
ender_pid=$vm_pid

start "$bin" dump --json --interval 0.4 --count 6
wait_until 10 test -s "$work/bg.out" || fail "it does not start"
kill -9 "$ender_pid"
# one that lives between two samples only
"$kvmvm" --name e2e-short --load busy --lifetime 200 <>"$work/never" >/dev/null 2>&1 &
started="$started $!"
ended "$started_pid"
[ "$status" = 0 ] || fail "exit status $status"

# The example of the document, without its comments, has all keys and the kinds of their values.
sed -n '/^{$/,/^}$/p' docs/output.md | sed 's|//.*||' | tr -d '\n' >"$work/example"
json "$work/bg.out" '
	open my $f, "<", $ARGV[0] or die; local $/;
	my $example = eval { decode_json(<$f>) } // die "the example of docs/output.md: $@";
	# null is allowed wherever the document says "not known"
	sub same_keys {
		my ($want, $got, $path) = @_;
		return if !defined $got || !defined $want;
		ref $want eq ref $got or die "$path: not the same kind of value\n";
		if (ref $want eq "HASH") {
			my ($w, $g) = map { join " ", sort keys %$_ } $want, $got;
			$w eq $g or die "$path: keys \"$g\" instead of \"$w\"\n";
			same_keys($want->{$_}, $got->{$_}, "$path.$_") for keys %$want;
		} elsif (ref $want eq "ARRAY") {
			same_keys($want->[0], $_, "$path\[]") for @$got;
		}
	}
	@d == 6 or die "not six documents\n";
	same_keys($example, $_, "document") for @d;
	$_->{schema} == 1 or die "another schema\n" for @d;

	# totals, and the interval as the difference between two of them
	sub totals {
		my ($vm) = @_;
		my %t = map { ("cpu.$_" => $vm->{cpu}{$_}) }
			qw(run_ns wait_ns switches preemptions migrations emulator_run_ns);
		%t = (%t, map { ("cache.$_" => $vm->{host_cache}{$_}) } keys %{$vm->{host_cache} // {}});
		delete $t{"cache.hit_pct"};
		$t{"vcpu$_->{id}"} = $_->{run_ns} for @{$vm->{vcpus} // []};
		return %t;
	}
	my (%last, %ended);
	for my $doc (@d) {
		for my $vm (@{$doc->{vms}}) {
			!$ended{$vm->{id}} or die "$vm->{name} is there after its end\n";
			$ended{$vm->{id}} = $vm->{ended};
			my %now = totals($vm);
			my $was = $last{$vm->{id}};
			for (grep { $was && defined $now{$_} && defined $was->{$_} } keys %now) {
				$now{$_} >= $was->{$_} or die "$vm->{name}: $_ decreases\n";
			}
			if ($was) {
				my $delta = $now{"cpu.run_ns"} - $was->{"cpu.run_ns"};
				$delta == $vm->{delta}{run_ns} or die "$vm->{name}: delta.run_ns\n";
				abs($delta / 1e7 / $doc->{interval_s} - $vm->{cpu}{usage_pct}) < 1 or
					die "$vm->{name}: usage_pct\n";
			}
			$last{$vm->{id}} = \%now;
		}
	}
	my @times = map { $_->{time_unix_s} } @d;
	$times[$_] > $times[$_ - 1] or die "time runs backwards\n" for 1 .. $#times;

	# who ended, ended once; who did not, is there to the last
	for my $name ("'"$ender"'", "e2e-short") {
		my @ends = grep { $_->{ended} } map { vm($_, $name) } @d;
		@ends == 1 or die "$name: " . @ends . " ends\n";
		$ends[0]{cpu}{run_ns} > 1e7 or die "$name: no final totals\n";
	}
	for my $name ("e2e-busy", "e2e-idle") {
		@{[vm($_, $name)]} == 1 or die "$name is not in all documents once\n" for @d;
	}
	my ($busy) = vm($d[-1], "e2e-busy");
	$busy->{cpu}{emulator_run_ns} > 1e7 or die "the emulator thread is not seen\n";
	$busy->{accel} eq "kvm" && $busy->{vmm} eq "kvmvm" or die "accel, vmm\n";
' "$work/example"

# --- which VMs, in which order ---
# names_are NAMES OPTION... - those of the last document, of VMs of this script
names_are() {
	names=$1
	shift
	run 0 "$bin" dump --json --interval 0.3 --count 2 "$@"
	json "$work/out" '
		my $got = join " ", grep { /^e2e-(busy|idle)$/ } map { $_->{name} } @{$d[-1]{vms}};
		$got eq $ARGV[0] or die "\"$got\" instead of \"$ARGV[0]\"\n";
	' "$names"
}
names_are "e2e-busy" --vm 'e2e-b*'
json "$work/out" '@{$d[-1]{vms}} == 1 or die "others, too\n";
	$d[-1]{observer}{vms} >= 2 or die "observer.vms counts only what --vm lets through\n"'
names_are "e2e-busy e2e-idle" --vm 'e2e-bus[xy]' --vm e2e-idle
names_are "" --vm 'e2e-nobody'
names_are "e2e-busy e2e-idle" --sort cpu
names_are "e2e-busy e2e-idle" --sort emulator
names_are "e2e-busy e2e-idle" --sort name
run 0 "$bin" dump --json --interval 0.3 --count 2
json "$work/out" '
	my @pids = map { $_->{pid} } @{$d[-1]{vms}};
	"@pids" eq join " ", sort { $a <=> $b } @pids or die "not by pid\n"'
for key in wait hit; do
	run 0 "$bin" dump --json --interval 0.3 --count 2 --sort "$key"
	json "$work/out" '
		my $key = $ARGV[0];
		my @v = map { $key eq "wait" ? $_->{cpu}{wait_pct} : -($_->{host_cache}{hit_pct} // 101) }
			grep { !$_->{ended} } @{$d[-1]{vms}};
		"@v" eq join " ", sort { $b <=> $a } @v or die "not by $key: @v\n"' "$key"
done
