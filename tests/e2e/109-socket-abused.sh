#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Garbage, half lines, 100 MB without an end, 1000 connections, and clients that never read: do the
# daemon's ticks go on, its memory stay bounded, and others be served?
# shellcheck disable=SC2154,SC2016,SC2015,SC2119 # start_own_vm sets pid_*; Perl, not shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_daemon
need_json
start_own_vm a
config
start_daemon

rss_kib() {
	sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$daemon_pid/status"
}

# abuse NAME CODE [ARG] - Perl with $sock(), which connects; goes on until it is killed or ends
abuse() {
	abuse_name=$1
	start perl -MIO::Socket::UNIX -MSocket -e '
		my ($path, $code, @rest) = @ARGV;
		$SIG{PIPE} = "IGNORE";
		$| = 1;
		sub sock { IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path) }
		eval "$code; 1" or die $@;
		print "done\n";
		sleep 60;' "$run_dir/control.sock" "$2"
	abuser=$started_pid
	# Long enough to see it at work; those that end by themselves are waited for.
	wait_until 30 grep -q 'done' "$work/bg.out" || fail "$1: it does not come to its end: $(cat "$work/bg.err")"
}

# served - others are, and the daemon ticks and is small
served() {
	wait_ticks 3
	ctl 0 why "$ours-a"
	# A sanitizer keeps what was freed for a while.
	[ "$(rss_kib)" -lt $((rss + 40000)) ] || grep -q __asan_init "$bin" || fail "$abuse_name: $rss KiB became $(rss_kib) KiB"
	kill -9 "$abuser"
	ended "$abuser"
}
rss=$(rss_kib)

abuse garbage 'for my $i (1 .. 200) {
		my $s = sock() or next;
		my $text = join "", map { chr int rand 256 } 1 .. 500;
		syswrite $s, $text . "\n";
		sysread $s, my $answer, 4096;
	}
	for my $line ("", "{}", "[]", "null", "{\"verb\":1}", "{\"verb\":\"why\"}", "{\"verb\":\"set\",\"vm\":[]}",
			"{\"verb\":\"policy load\",\"policy\":{},\"settings\":{}}", "{\"verb\":\"status\",\"verb\":\"why\"}",
			"[" x 30000, "{\"a\":" x 5000, "{\"verb\":\"\\u0000\"}", "{\"verb\":\"policy load\",\"policy\":\"\"}",
			"{\"verb\":\"policy load\",\"policy\":\"x\",\"settings\":[" . join(",", ("1") x 100) . "]}") {
		my $s = sock() or die "connect: $!";
		syswrite $s, "$line\n";
		sysread $s, my $answer, 65536 or die "no answer to $line";
		$answer =~ /"ok":false/ or die "to $line: $answer";
	}'
served
abuse 'half lines' 'for my $i (1 .. 40) {
		my $s = sock() or die "connect: $!";
		syswrite $s, "{\"verb\":\"sta";
		push @s, $s;
	}'
served
abuse '100 MB without an end' 'my $s = sock() or die; my $sent = 0; my $piece = "a" x 100000;
	while ($sent < 100_000_000) { my $n = syswrite $s, $piece; last if !$n; $sent += $n }
	sysread $s, my $answer, 4096;
	$answer =~ /at most 65536 bytes/ or die "answer: $answer"'
served
abuse '1000 connections' 'for my $i (1 .. 1000) { my $s = sock(); push @s, $s if $s }'
served
abuse 'clients that watch and never read' 'for my $i (1 .. 30) {
		my $s = sock() or die "connect: $!";
		syswrite $s, "{\"verb\":\"watch\"}\n";
		push @s, $s;
	}'
wait_ticks 20
served
abuse 'answers that nobody reads' 'for my $i (1 .. 30) {
		my $s = sock() or die "connect: $!";
		$s->blocking(0);
		for (1 .. 2000) { syswrite $s, "{\"verb\":\"status\"}\n" x 100 or last }
		push @s, $s;
	}'
wait_ticks 5
served
# One that reads late gets all its answers.
abuse 'many questions at once' 'my $s = sock() or die; my $n = 3000;
	my $pid = fork // die;
	if (!$pid) { syswrite $s, "{\"verb\":\"policy list\"}\n" for 1 .. $n; exit }
	sleep 1;
	my $lines = 0;
	while ($lines < $n) { my $line = <$s>; defined $line or die "hung up after $lines"; $lines++ }'
served
ctl 0 status --json
json "$work/out" '$d[0]{tick_longest_ms} < 1000 or die "a tick took $d[0]{tick_longest_ms} ms\n"'
stop_daemon
[ "$status" = 0 ] || fail "it ends with $status"
