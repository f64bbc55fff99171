# docker compose (or docker-compose) with this checkout's settings and a project of its own.

compose() (
  load_settings
  cd "$ROOT" || exit 1
  socket=${DOCKER_ENDPOINT:-unix:///var/run/docker.sock}
  socket=${socket#unix://}
  command=(env "COMPOSE_PROJECT_NAME=voidrunner-${VOIDRUNNER_INSTANCE:-new}")
  [ -z "${DOCKER_ENDPOINT:-}" ] || command+=("DOCKER_HOST=$DOCKER_ENDPOINT")
  # The engine's socket and the group that may open it, for the proxy that guards it.
  [ ! -S "$socket" ] || command+=("DOCKER_SOCKET=$socket" "DOCKER_SOCKET_GROUP=$(stat -Lc %g "$socket")")
  if docker compose version >/dev/null 2>&1; then exec "${command[@]}" docker compose "$@"; fi
  exec "${command[@]}" docker-compose "$@"
)

# compose_wait SERVICE...: until all are healthy. (`up --wait` is missing in docker-compose 1, and counts a
# finished one-off job such as migrate as a failure.)
compose_wait() {
  local service container state deadline=$((SECONDS + 300))
  for service in "$@"; do
    while :; do
      container=$(compose ps --quiet "$service")
      state=''
      [ -z "$container" ] || state=$(engine inspect --format '{{.State.Health.Status}}' "$container")
      [ "$state" != healthy ] || break
      [ "$SECONDS" -lt "$deadline" ] || { compose logs --tail 30 "$service" >&2; die "$service is not healthy in time"; }
      sleep 0.5
    done
  done
}
