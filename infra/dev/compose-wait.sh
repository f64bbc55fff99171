#!/usr/bin/env bash
# compose-wait.sh SERVICE...: until all are healthy. (`up --wait` is missing in docker-compose 1,
# and counts a finished one-off job such as migrate as a failure.)
. "$(dirname "$0")/lib.sh"
need_settings
deadline=$((SECONDS + 300))
for service in "$@"; do
  while :; do
    container=$("$DEV/compose.sh" ps --quiet "$service")
    state=$([ -z "$container" ] || docker --host "$DOCKER_ENDPOINT" inspect --format '{{.State.Health.Status}}' "$container")
    [ "$state" != healthy ] || break
    [ "$SECONDS" -lt "$deadline" ] || {
      "$DEV/compose.sh" logs --tail 30 "$service" >&2
      die "$service is not healthy in time"
    }
    sleep 0.5
  done
done
