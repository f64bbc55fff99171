#!/usr/bin/env bash
# The services of the mode that was chosen.
. "$(dirname "$0")/lib.sh"
need_settings
if [ "$VOIDRUNNER_MODE" = compose ]; then
  say 'Starting services with Docker Compose'
  "$DEV/compose.sh" up --detach postgres redis nats jaeger
  "$DEV/compose-wait.sh" postgres redis nats jaeger
else
  "$DEV/services.sh" start
fi
