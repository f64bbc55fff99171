#!/usr/bin/env bash
# Stops the app and our services; the data stays. Nothing of ours is left running.
. "$(dirname "$0")/lib.sh"
[ -f "$SETTINGS" ] || { note 'nothing was set up, nothing to stop'; exit 0; }
need_settings
lock_checkout
if [ "$VOIDRUNNER_MODE" = compose ]; then "$DEV/compose.sh" down; else "$DEV/app.sh" stop; fi
"$DEV/remove-containers.sh"
[ "$VOIDRUNNER_MODE" = compose ] || "$DEV/services.sh" stop
say 'Everything is down (the data is kept; make clean removes it)'
