#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# make install and make uninstall: is what is installed whole and does it work, is nothing left,
# and does a configuration that somebody has changed stay?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need make
dest=$work/dest
conf=$dest/etc/vmadjust-bpf/vmadjust-bpf.conf
# What is built for another PREFIX is not left for the tests that follow.
mkdir "$work/build"
cp -a "$O/bpf" "$O/policies" "$O/user" "$bin" "$work/build/"

# make of the tree, whatever the make says that runs these tests
make_here() {
	run 0 env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory O="$work/build" DESTDIR="$dest" \
		PREFIX=/usr "$@"
}

# installed MODE FILE...
installed() {
	mode=$1
	shift
	for file; do
		[ -s "$dest/$file" ] || fail "not installed: $file"
		[ "$(stat -c %a "$dest/$file")" = "$mode" ] || fail "mode of $file"
		echo "$dest/$file" >>"$work/expected"
	done
}

make_here -n install
[ ! -e "$dest" ] || fail "make -n does something"

make_here install
installed 755 usr/sbin/vmadjust-bpf usr/sbin/vmadjust-guest
installed 644 etc/vmadjust-bpf/vmadjust-bpf.conf usr/lib/systemd/system/vmadjust-bpf.service \
	usr/lib/systemd/system/vmadjust-guest.service \
	usr/lib/tmpfiles.d/vmadjust-bpf.conf
for page in docs/*.[578]; do
	installed 644 "usr/share/man/man${page##*.}/${page#docs/}"
done
for header in policies/*.h; do
	installed 644 "usr/include/vmadjust-bpf/${header##*/}"
done
for policy in policies/*.c; do
	policy=${policy##*/}
	installed 755 "usr/lib/vmadjust-bpf/policies/${policy%.c}.so"
done
[ "$(find "$dest" -type f | sort)" = "$(sort "$work/expected")" ] ||
	fail "installed: $(find "$dest" -type f)"

# --- it works where it is ---
installed_bin=$dest/usr/sbin/vmadjust-bpf
run 0 "$installed_bin" --version
cmp -s "$installed_bin" "$work/build/vmadjust-bpf" || fail "another program than the one built"
run 0 "$installed_bin" policy list
grep -q '^loadavg_nice .*CPU share' "$work/out" || fail "the policies are not found"
cp "$dest/usr/include/vmadjust-bpf/policy.h" "$work/policy.h" # not beside the source: not taken
mkdir "$work/mine"
cat >"$work/mine/mine.c" <<'END'
#include "peacemaker.h"

static void text(void)
{
	struct kvm_list *kvm = get_max_kvms_usage();

	if (kvm)
		set_kvm_nice(kvm->task, 5);
	peacemaker_sleep(60);
}

PEACEMAKER_POLICY(mine, "less for the busiest", text);
END
run 0 "$installed_bin" policy build "$work/mine/mine.c"
run 0 "$installed_bin" policy check "$work/mine/mine.so"
grep -q '^policy *mine$' "$work/out" || fail "a policy of one's own is not loaded"

# --- what it was told of PREFIX ---
unit=$dest/usr/lib/systemd/system/vmadjust-bpf.service
grep -q '^ExecStart=/usr/sbin/vmadjust-bpf run$' "$unit" || fail "the unit has another path"
grep -q '^#policy_dir = /usr/lib/vmadjust-bpf/policies$' "$conf" || fail "policy_dir in $conf"
run 0 "$installed_bin" run --check -c "$conf"
grep -q '^policy_dir = /usr/lib/vmadjust-bpf/policies$' "$work/out" || fail "another policy_dir"
if command -v systemd-analyze >/dev/null; then
	mkdir "$work/unit"
	sed "s|/usr/sbin|$dest&|" "$unit" >"$work/unit/vmadjust-bpf.service"
	run 0 systemd-analyze verify --man=no "$work/unit/vmadjust-bpf.service"
	! grep 'vmadjust-bpf' "$work/err" || fail "systemd does not understand the unit"
fi

# --- the administrator's configuration ---
make_here install
[ ! -e "$conf.new" ] || fail "a second one beside the same configuration"
echo '# mine' >>"$conf"
make_here install
tail -n 1 "$conf" | grep -qx '# mine' || fail "the configuration was overwritten"
[ -s "$conf.new" ] || fail "the new configuration is not beside it"

make_here uninstall
[ "$(find "$dest" -type f)" = "$conf" ] || fail "left: $(find "$dest" -type f)"
rm "$conf"
make_here install
make_here uninstall
[ -z "$(find "$dest" -type f)" ] || fail "left: $(find "$dest" -type f)"
[ -z "$(find "$dest" -name 'vmadjust-bpf*')" ] || fail "left: $(find "$dest" -name 'vmadjust-bpf*')"
make_here uninstall
