#!/usr/bin/env bash
# Everything a checkout needs before it can start; changes nothing that is already right.
. "$(dirname "$0")/lib.sh"
lock_checkout
"$DEV/prepare.sh"
"$DEV/dependencies.sh"
