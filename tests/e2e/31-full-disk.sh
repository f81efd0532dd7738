#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The disk under the output fills up: is what was written whole lines, and only that?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_observer
need unshare
start_vm "one" --load tick:10
i=0
while [ $i -lt 12 ]; do
	"$kvmvm" --name "more-$i" --load idle <>"$work/never" >/dev/null 2>&1 &
	started="$started $!"
	i=$((i + 1))
done

# whole_lines FILE - it ends with a newline, and each line is a document from { to }
whole_lines() {
	[ -s "$1" ] || fail "nothing was written"
	[ -z "$(tail -c 1 "$1" | tr -d '\n')" ] || fail "the last line is torn"
	! grep -qv '^{"schema":1,.*}}$' "$1" || fail "a line is no document"
}

for size in 64k 100k 256k; do
	mkdir -p "$work/disk"
	run 4 unshare -m sh -c "mount -t tmpfs -o size=$size none '$work/disk' &&
		{ '$bin' dump --json --interval 0.1 >'$work/disk/file'; status=\$?; } || :
		cp '$work/disk/file' '$work/kept'
		exit \$status"
	said 'No space left'
	whole_lines "$work/kept"
done

# The same by a limit on the size of files, and behind what was there before.
echo '{"schema":1,"observer":{}}' >"$work/kept"
run 4 sh -c "ulimit -f 40; exec '$bin' dump --json --interval 0.1 >>'$work/kept'"
said 'too large'
whole_lines "$work/kept"
head -n 1 "$work/kept" | grep -q '"observer":{}}$' || fail "what was there is gone"
