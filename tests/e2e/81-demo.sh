#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The demo on a host that has a VM: does it show that one, start none, and leave all as it was?
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

need_observer
start_vm "e2e-mine" --load busy

# what it would start carries these names; other tests may run such a demo, too
demo_vms() {
	pgrep -f -- '(-name|--name) demo-' | sort
}
before=$(demo_vms)
start tools/demo.sh
sleep 5
[ "$(demo_vms)" = "$before" ] || fail "it starts VMs although there is one"
ended "$started_pid"
cp "$work/bg.out" "$work/out"
cp "$work/bg.err" "$work/err"
[ "$status" = 0 ] || fail "exit status $status"
tables=$(grep -c e2e-mine "$work/out")
[ "$tables" -ge 10 ] || fail "the VM is in $tables tables of 15"
! gone "$vm_pid" || fail "the VM that was there is gone"
check_no_orphans "the demo"
