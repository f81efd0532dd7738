#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Does the core of the integration tests pass on kernel 6.12, with real KVM? And are shares right
# where groups are of version 2?
#
# timeout: 1060 s
set -u

exec "$(dirname "$0")/kernel.sh" 6.12 cpu_share
