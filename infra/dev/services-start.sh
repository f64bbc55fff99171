#!/usr/bin/env bash
# The services of the way that was chosen.
. "$(dirname "$0")/lib.sh"
need_settings
if [ "$VOIDRUNNER_WAY" = compose ]; then
  say 'Starting services with Docker Compose'
  "$DEV/compose.sh" up --detach postgres redis nats jaeger
  "$DEV/compose-wait.sh" postgres redis nats jaeger
else
  "$DEV/services.sh" start
fi
