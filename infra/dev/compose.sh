#!/usr/bin/env bash
# docker compose (or docker-compose) with this checkout's settings and a project of its own.
. "$(dirname "$0")/lib.sh"
load_settings
export COMPOSE_PROJECT_NAME=voidrunner-${VOIDRUNNER_INSTANCE:-new}
[ -z "${DOCKER_ENDPOINT:-}" ] || export DOCKER_HOST="$DOCKER_ENDPOINT"
# Where the engine's socket lies, and the group that may open it, for the proxy that guards it.
socket=${DOCKER_ENDPOINT:-unix:///var/run/docker.sock}
socket=${socket#unix://}
if [ -S "$socket" ]; then
  DOCKER_SOCKET=$socket
  DOCKER_SOCKET_GROUP=$(stat -Lc %g "$socket")
  export DOCKER_SOCKET DOCKER_SOCKET_GROUP
fi
cd "$ROOT"
if docker compose version >/dev/null 2>&1; then exec docker compose "$@"; fi
exec docker-compose "$@"
