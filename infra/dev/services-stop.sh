#!/usr/bin/env bash
# Stops the services we started, and nothing else.
. "$(dirname "$0")/lib.sh"
[ -f "$SETTINGS" ] || { note 'nothing was set up, nothing to stop'; exit 0; }
need_settings
if [ "$VOIDRUNNER_MODE" = compose ]; then
  "$DEV/compose.sh" stop
else
  "$DEV/services.sh" stop
fi
say 'Services are down'
