#!/usr/bin/env bash
# The part of the setup that everything else waits for: the way, its packages, the settings.
. "$(dirname "$0")/lib.sh"
lock_checkout

way=$("$DEV/way.sh")
if [ "$way" = native ]; then
  "$DEV/packages.sh" native
else
  "$DEV/docker-answers.sh" || die 'compose was asked for, but no Docker engine answers'
  "$DEV/compose.sh" version >/dev/null 2>&1 || die 'compose was asked for, but there is no Docker Compose'
fi
"$DEV/settings.sh" "$way"
