#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Does the core of the integration tests pass on kernel 6.1, with real KVM?
#
# timeout: 1060 s
set -u

exec "$(dirname "$0")/kernel.sh" 6.1
