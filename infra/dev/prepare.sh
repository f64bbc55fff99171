#!/usr/bin/env bash
# The part of the setup that everything else waits for: the mode, its packages, the settings.
. "$(dirname "$0")/lib.sh"
lock_checkout

mode=$("$DEV/mode.sh")
if [ "$mode" = native ]; then
  "$DEV/packages.sh" native
else
  "$DEV/docker-answers.sh" || die 'compose was asked for, but no Docker engine answers'
  "$DEV/compose.sh" version >/dev/null 2>&1 || die 'compose was asked for, but there is no Docker Compose'
fi
"$DEV/settings.sh" "$mode"
